//! Turns tokens into paragraphs.

use super::elements::{Kind, attribute, is_hidden, is_void};
use super::hidden_element::{HiddenElement, Shown};
use super::layout_tables::DEEPEST_TABLE;
use super::table::Table;
use crate::output::markup::{Block, Heading, Markup};
use dossier_extract::{Metadata, TextFormat};
use html5gum::{StartTag, Token};

/// Nested lists are indented down to this depth.
const DEEPEST_LIST: usize = 32;
/// Maximum number of columns that a cell may span, whatever it declares.
const WIDEST_CELL: usize = 20;
/// Maximum number of rows that a cell spans, as in the HTML standard.
const MOST_ROWS: u32 = 65_534;
/// Maximum number of places on a page that are left free for cells that span rows.
const MOST_FREE_PLACES: usize = 100_000;

pub(super) struct Reader<'m> {
    markup: Markup,
    metadata: &'m mut Metadata,
    /// Whether each of the coming tables is only layout.
    layout: std::vec::IntoIter<bool>,
    tables: Vec<Table>,
    deeper_tables: usize,
    free_places: usize,
    lists: Vec<List>,
    deeper_lists: usize,
    /// The kind of the open paragraph.
    heading: u8,
    preformatted: usize,
    marker: Option<String>,
    has_words: bool,
    hidden: Option<HiddenElement>,
    /// The text of `<title>` while it is open.
    title: Option<String>,
}

/// An open list: the number of its next item.
struct List {
    next: Option<i64>,
}

impl<'m> Reader<'m> {
    pub(super) fn new(format: TextFormat, layout: Vec<bool>, metadata: &'m mut Metadata) -> Self {
        Self {
            markup: Markup::new(format),
            metadata,
            layout: layout.into_iter(),
            tables: Vec::new(),
            deeper_tables: 0,
            free_places: MOST_FREE_PLACES,
            lists: Vec::new(),
            deeper_lists: 0,
            heading: 0,
            preformatted: 0,
            marker: None,
            has_words: false,
            hidden: None,
            title: None,
        }
    }

    pub(super) fn finish(mut self) -> (String, Vec<Heading>) {
        self.end_block();
        let headings = self.markup.take_headings();
        (self.markup.finish(), headings)
    }

    pub(super) fn token(&mut self, token: Token) {
        if let Some(hidden) = &mut self.hidden {
            match hidden.token(&token) {
                Shown::Not => return self.skip(&token),
                Shown::Next => return self.hidden = None,
                Shown::This => self.hidden = None,
            }
        }
        match token {
            Token::StartTag(tag) => self.start(&tag),
            Token::EndTag(tag) => self.end(&tag.name),
            Token::String(text) => self.text(&String::from_utf8_lossy(&text)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }

    /// Hidden tables were counted as well, so they must be skipped.
    fn skip(&mut self, token: &Token) {
        if matches!(token, Token::StartTag(tag) if Kind::of(&tag.name) == Kind::Table) {
            self.layout.next();
        }
    }

    fn start(&mut self, tag: &StartTag<()>) {
        let kind = Kind::of(&tag.name);
        if (kind == Kind::Unseen || is_hidden(tag)) && !is_void(&tag.name) {
            self.hidden = (!tag.self_closing).then(|| HiddenElement::new(&tag.name));
            if kind == Kind::Table {
                self.layout.next();
            }
            return;
        }
        match kind {
            Kind::Inline | Kind::Unseen => {}
            Kind::Block => self.end_block(),
            Kind::Heading(level) => {
                self.end_block();
                self.heading = level;
            }
            Kind::Preformatted => {
                self.end_block();
                self.preformatted += 1;
            }
            Kind::List { is_numbered } => self.start_list(is_numbered, tag),
            Kind::Item => self.start_item(tag),
            Kind::Table => self.start_table(),
            Kind::Row => self.end_row(),
            Kind::Rows => self.end_rows(),
            Kind::Cell => self.start_cell(tag),
            Kind::Break => self.line_break(),
            Kind::Link => self.start_link(tag),
            Kind::Image => self.text(attribute(tag, "alt").unwrap_or_default()),
            Kind::Quote => self.word("“"),
            Kind::Title => {
                self.title = (self.metadata.title.is_none() && !tag.self_closing).then(String::new);
            }
            Kind::Meta => self.meta(tag),
        }
    }

    fn end(&mut self, name: &[u8]) {
        match Kind::of(name) {
            Kind::Block | Kind::Item => self.end_block(),
            Kind::Heading(_) => {
                self.end_block();
                self.heading = 0;
            }
            Kind::Preformatted => {
                self.end_block();
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            Kind::List { .. } => self.end_list(),
            Kind::Table => self.end_table(),
            Kind::Row => self.end_row(),
            Kind::Rows => self.end_rows(),
            Kind::Cell => self.end_cell(),
            Kind::Link => self.markup.end_link(),
            Kind::Quote => self.word("”"),
            Kind::Title => {
                let title = self.title.take().map(|title| collapsed(&title));
                if let Some(title) = title.filter(|title| !title.is_empty()) {
                    self.metadata.title = Some(title);
                }
            }
            Kind::Break => self.line_break(),
            Kind::Inline | Kind::Image | Kind::Meta | Kind::Unseen => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(title) = &mut self.title {
            return title.push_str(text);
        }
        if self.preformatted > 0 {
            // The first line break after <pre> is not part of its content.
            let text = if self.has_words { text } else { text.strip_prefix('\n').unwrap_or(text) };
            return self.word(text);
        }
        let mut words = text.split(is_blank);
        if let Some(first) = words.next() {
            self.word(first);
        }
        for word in words {
            self.markup.blank();
            self.word(word);
        }
    }

    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        self.has_words = true;
        // Soft hyphens and break opportunities are not part of the word.
        word.split('\u{ad}').for_each(|part| self.markup.text(part));
    }

    fn line_break(&mut self) {
        if self.has_words {
            self.markup.line_break();
        }
    }

    /// Ends the open paragraph, if any.
    fn end_block(&mut self) {
        if !std::mem::take(&mut self.has_words) {
            return;
        }
        let block = match (self.marker.take(), self.heading) {
            (Some(marker), _) => {
                let depth = u8::try_from(self.lists.len().saturating_sub(1)).unwrap_or(u8::MAX);
                Block::Item { depth, marker }
            }
            (None, _) if self.preformatted > 0 => Block::Preformatted,
            (None, 0) => Block::Plain,
            (None, level) => Block::Heading(level),
        };
        self.markup.end_paragraph(&block);
    }

    fn start_list(&mut self, is_numbered: bool, tag: &StartTag<()>) {
        self.end_block();
        if self.lists.len() < DEEPEST_LIST {
            let start = attribute(tag, "start").and_then(|start| start.trim().parse().ok()).unwrap_or(1);
            self.lists.push(List { next: is_numbered.then_some(start) });
        } else {
            self.deeper_lists += 1;
        }
    }

    fn end_list(&mut self) {
        self.end_block();
        self.marker = None;
        if self.deeper_lists > 0 {
            self.deeper_lists -= 1;
        } else {
            self.lists.pop();
        }
    }

    fn start_item(&mut self, tag: &StartTag<()>) {
        self.end_block();
        let next = self.lists.last_mut().and_then(|list| list.next.as_mut());
        self.marker = Some(match next {
            Some(next) => {
                let said = attribute(tag, "value").and_then(|value| value.trim().parse().ok());
                let number = said.unwrap_or(*next);
                *next = number.saturating_add(1);
                format!("{number}.")
            }
            None => "•".to_owned(),
        });
    }

    fn start_table(&mut self) {
        self.end_block();
        let is_layout = self.layout.next().unwrap_or(true);
        if self.tables.len() < DEEPEST_TABLE {
            self.tables.push(Table { is_layout, ..Table::default() });
        } else {
            self.deeper_tables += 1;
        }
    }

    fn end_table(&mut self) {
        if self.deeper_tables > 0 {
            self.deeper_tables -= 1;
            return self.end_block();
        }
        self.end_row();
        if let Some(table) = self.tables.pop()
            && table.has_rows
        {
            self.markup.end_table();
        }
    }

    /// The innermost table, if it is a data table.
    fn data_table(&mut self) -> Option<&mut Table> {
        self.tables.last_mut().filter(|table| !table.is_layout && self.deeper_tables == 0)
    }

    fn start_cell(&mut self, tag: &StartTag<()>) {
        self.end_cell();
        let number = |name: &str| attribute(tag, name).and_then(|span| span.trim().parse::<u32>().ok());
        let columns = number("colspan").unwrap_or(1);
        let rows_below = match number("rowspan") {
            // To the end of the row group.
            Some(0) => MOST_ROWS,
            rows => rows.unwrap_or(1).min(MOST_ROWS) - 1,
        };
        let mut free_places = self.free_places;
        let Some(table) = self.data_table() else { return };
        table.in_row = true;
        table.columns = usize::try_from(columns).unwrap_or(WIDEST_CELL).clamp(1, WIDEST_CELL);
        table.rows_below = rows_below;
        let mut taken = 0;
        while table.spans.get(table.column).is_some_and(|span| span.rows > 0) && free_places > 0 {
            table.column += 1;
            free_places -= 1;
            taken += 1;
        }
        let is_first = !std::mem::replace(&mut table.has_rows, true);
        self.free_places = free_places;
        if is_first {
            self.markup.start_table();
        }
        (0..taken).for_each(|_| self.markup.end_cell());
    }

    fn end_cell(&mut self) {
        self.end_block();
        if let Some(table) = self.data_table() {
            let columns = std::mem::take(&mut table.columns);
            table.end_cell(columns);
            (0..columns).for_each(|_| self.markup.end_cell());
        }
    }

    fn end_row(&mut self) {
        self.end_cell();
        if let Some(table) = self.data_table()
            && std::mem::take(&mut table.in_row)
        {
            table.end_row();
            self.markup.end_row();
        }
    }

    /// Cells cannot span from a table's head, body or foot into the next.
    fn end_rows(&mut self) {
        self.end_row();
        if let Some(table) = self.data_table() {
            table.spans.clear();
        }
    }

    fn start_link(&mut self, tag: &StartTag<()>) {
        self.markup.end_link();
        let url = attribute(tag, "href").unwrap_or_default().trim();
        let is_script = url.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("javascript:"));
        if !url.is_empty() && !url.starts_with('#') && !is_script {
            self.markup.start_link(url);
        }
    }

    fn meta(&mut self, tag: &StartTag<()>) {
        let name = attribute(tag, "name").or_else(|| attribute(tag, "property")).unwrap_or_default();
        let Some(content) = attribute(tag, "content").map(collapsed).filter(|value| !value.is_empty()) else {
            return;
        };
        let is_time = content.get(10..11) == Some("T") && content.starts_with(|c: char| c.is_ascii_digit());
        let value = match name.to_ascii_lowercase().as_str() {
            "author" | "dc.creator" | "dcterms.creator" => &mut self.metadata.author,
            "description" | "dc.description" => &mut self.metadata.subject,
            "keywords" => &mut self.metadata.keywords,
            "generator" => &mut self.metadata.producer,
            "article:published_time" | "dcterms.created" if is_time => &mut self.metadata.created,
            "article:modified_time" | "dcterms.modified" if is_time => &mut self.metadata.modified,
            _ => return,
        };
        value.get_or_insert(content);
    }
}

/// The characters that HTML collapses into one space, and the non-breaking space.
fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0c' | '\u{a0}')
}

fn collapsed(text: &str) -> String {
    text.split(is_blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
