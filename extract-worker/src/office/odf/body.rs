//! Text and slides: paragraphs, lists, tables, notes and frames. Those of texts are in file order.

use super::Kind;
use super::lists::{BULLET, Lists};
use super::shapes::Shapes;
use super::styles::Styles;
use crate::office::xml::{Element, Node, Xml};
use crate::output::markup::{Block, Markup};
use dossier_extract::TextFormat;

/// The text so far, and the open elements.
#[derive(Debug)]
pub(super) struct Body<'s, 'p> {
    styles: &'s Styles,
    kind: Kind,
    main: &'p mut Markup,
    /// Footnotes, endnotes and comments, which are written at the end.
    notes: Markup,
    /// Nesting depth of open notes.
    open_notes: usize,
    open: Vec<Open>,
    lists: Lists,
    /// Whether the frame is the title of a slide.
    in_title: bool,
    /// In a header, which is written once for many pages, page numbers are omitted.
    hides_page_numbers: bool,
    /// The mark of a note whose text follows.
    mark: Option<String>,
    /// For each open paragraph and span, whether it is hidden; and whether the open paragraph has contained hidden text.
    hides: Vec<bool>,
    has_hidden: bool,
    /// How many empty cells may still be added for repeated cells.
    repeats_left: usize,
    /// The shapes of the open slide.
    shapes: Shapes,
    pages: Vec<String>,
}

/// The elements that paragraphs may be in.
#[derive(Debug)]
enum Open {
    /// A heading, and its number.
    Paragraph(Block, String),
    Note,
    /// A text box inside a paragraph, written after it.
    Aside,
    /// A text box between paragraphs.
    Frame,
}

const MOST_REPEATS: usize = 10_000;
/// Maximum number of consecutive blanks.
const MOST_BLANKS: usize = 80;

impl<'s, 'p> Body<'s, 'p> {
    pub(super) fn new(styles: &'s Styles, kind: Kind, main: &'p mut Markup) -> Self {
        Self {
            styles,
            kind,
            notes: Markup::new(main.format()),
            main,
            open_notes: 0,
            open: Vec::new(),
            lists: Lists::default(),
            in_title: false,
            hides_page_numbers: false,
            mark: None,
            hides: Vec::new(),
            has_hidden: false,
            repeats_left: MOST_REPEATS,
            shapes: Shapes::default(),
            pages: Vec::new(),
        }
    }

    /// The pages of a content part.
    pub(super) fn pages(mut self, xml: &str) -> Vec<String> {
        let mut reader = Xml::new(xml);
        while let Some(node) = reader.next() {
            if matches!(node, Node::Start(element) if element.is("office", "body")) {
                self.read(&mut reader);
            }
        }
        if self.kind == Kind::Text && (self.pages.is_empty() || !self.main.is_blank()) {
            self.pages.push(self.main.take_page());
        }
        if let Some(last) = self.pages.last_mut() {
            let mut page = Markup::new(self.notes.format());
            page.append(last);
            page.append(&self.notes.take_page());
            *last = page.finish();
        }
        self.pages
    }

    /// Reads a header or footer.
    pub(super) fn read_margin(mut self, reader: &mut Xml<'_>) {
        self.hides_page_numbers = true;
        self.read(reader);
    }

    /// Reads to the end of the innermost open element, or to an XML error.
    pub(super) fn read(&mut self, reader: &mut Xml<'_>) {
        let outside = reader.depth().saturating_sub(1);
        while reader.depth() > outside
            && let Some(node) = reader.next()
        {
            match node {
                Node::Start(element) => self.start(&element, reader),
                Node::End(end) => {
                    self.end(end.space, end.name());
                    self.shapes.end(reader.depth(), self.main);
                }
                Node::Text(text) => self.text(&text),
            }
        }
        // Elements that a malformed part left open.
        while let Some(open) = self.open.pop() {
            self.close(&open);
        }
        while self.main.in_table() {
            self.main.end_table();
        }
    }

    fn start(&mut self, element: &Element<'_>, reader: &mut Xml<'_>) {
        if self.kind == Kind::Slides && element.space == "draw" && !is_margin(element) {
            self.shapes.start(element, reader.depth(), self.main);
        }
        match (element.space, element.name()) {
            ("text", "p" | "h") => self.start_paragraph(element),
            ("text", "span") => {
                let style = element.attribute("style-name").unwrap_or_default();
                let hides = self.styles.hides(&style).unwrap_or(self.is_hidden());
                self.hides.push(hides);
            }
            ("text", "s" | "tab" | "line-break") if self.is_hidden() => {}
            ("text", "section") if element.attribute("display").is_some_and(|display| display == "none") => {
                reader.skip();
            }
            ("text", "hidden-text") if element.flag("is-hidden") == Some(true) => drop(reader.skip()),
            ("draw", "frame") if self.kind == Kind::Slides && is_margin(element) => drop(reader.skip()),
            ("text", "list") => self.lists.start(element, self.styles),
            ("text", "list-item") => self.lists.item(element),
            ("text", "s") if self.in_paragraph() => {
                let blanks = element.number("c").unwrap_or(1).min(MOST_BLANKS);
                self.markup().text(&" ".repeat(blanks));
            }
            ("text", "tab") if self.in_paragraph() => self.markup().text("\t"),
            ("text", "line-break") if self.in_paragraph() => self.markup().line_break(),
            ("text", "soft-page-break") => self.turn_page(),
            ("text", "note-body") | ("office", "annotation") => {
                self.open.push(Open::Note);
                self.open_notes += 1;
                if let Some(mark) = self.mark.take() {
                    self.notes.text(&mark);
                }
            }
            ("draw", "frame") => {
                self.in_title = element.attribute("class").is_some_and(|class| class == "title");
            }
            ("draw", name) if is_text_box(name) => self.start_box(),
            ("table", "table") => self.markup().start_table(),
            ("table", "table-cell" | "covered-table-cell") => {
                let repeats =
                    element.number::<usize>("number-columns-repeated").unwrap_or(1).saturating_sub(1);
                let repeats = repeats.min(self.repeats_left);
                self.repeats_left -= repeats;
                (0..repeats).for_each(|_| self.markup().end_cell());
            }
            ("presentation", "notes") => {
                self.shapes.arrange(self.main);
                self.main.end_paragraph(&Block::Plain);
            }
            ("text", "note-citation") => self.call_note(reader),
            ("text", "page-number" | "page-count") if self.hides_page_numbers => drop(reader.skip()),
            ("text", "tracked-changes" | "ruby-text")
            | ("svg", "title" | "desc")
            | ("office", "binary-data" | "forms")
            | ("draw", "page-thumbnail" | "object") => drop(reader.skip()),
            _ => {}
        }
    }

    fn end(&mut self, space: &str, name: &str) {
        match (space, name) {
            ("text", "p" | "h") => {
                self.end_open();
                self.hides.pop();
            }
            ("text", "span") => drop(self.hides.pop()),
            ("text", "note-body") | ("office", "annotation") => self.end_open(),
            ("draw", name) if is_text_box(name) => self.end_open(),
            ("text", "list") => self.lists.end(),
            ("table", "table-cell" | "covered-table-cell") => self.markup().end_cell(),
            ("table", "table-row") => self.markup().end_row(),
            ("table", "table") => self.markup().end_table(),
            ("draw", "page") => {
                self.shapes.arrange(self.main);
                self.pages.push(self.main.take_page());
            }
            _ => {}
        }
    }

    /// The current target of text.
    fn markup(&mut self) -> &mut Markup {
        if self.open_notes > 0 { &mut self.notes } else { self.main }
    }

    /// Whether text here is content. Elsewhere it is names, dates and other values.
    fn in_paragraph(&self) -> bool {
        matches!(self.open.last(), Some(Open::Paragraph(..)))
    }

    /// Whether text here is hidden.
    fn is_hidden(&self) -> bool {
        self.hides.last().copied().unwrap_or_default()
    }

    /// The mark of a note in the text is repeated before the note itself.
    fn call_note(&mut self, reader: &mut Xml<'_>) {
        let citation = reader.text();
        let citation = citation.trim();
        if citation.is_empty() || !self.in_paragraph() {
            return;
        }
        let (call, mark) = match self.main.format() {
            TextFormat::Text => (format!("[{citation}]"), format!("[{citation}] ")),
            TextFormat::Markdown => (format!("[^{citation}]"), format!("[^{citation}]: ")),
        };
        self.markup().text(&call);
        self.mark = Some(mark);
    }

    /// Collapses consecutive blanks in the XML into one.
    fn text(&mut self, text: &str) {
        if !self.in_paragraph() {
            return;
        }
        if self.is_hidden() {
            self.has_hidden |= !text.trim().is_empty();
            return;
        }
        let markup = self.markup();
        for (index, words) in text.split([' ', '\t', '\r', '\n']).enumerate() {
            if index > 0 {
                markup.blank();
            }
            markup.text(words);
        }
    }

    fn start_paragraph(&mut self, element: &Element<'_>) {
        let style = element.attribute("style-name").unwrap_or_default();
        if self.styles.begins_page(&style) {
            self.turn_page();
        }
        let item = self.lists.block(self.styles);
        let block = match element.number::<u8>("outline-level") {
            _ if self.in_title => Block::Heading(1),
            Some(level) if element.name() == "h" => Block::Heading(level.max(1)),
            None if element.name() == "h" => Block::Heading(1),
            _ => item.clone(),
        };
        let number = match (&block, item) {
            (Block::Heading(_), Block::Item { marker, .. }) if marker != BULLET => marker,
            (Block::Heading(level), _) if element.flag("is-list-header") != Some(true) => {
                self.lists.heading(*level, &style, self.styles)
            }
            _ => String::new(),
        };
        self.hides.push(self.styles.hides(&style).unwrap_or_default());
        self.open.push(Open::Paragraph(block, number));
    }

    fn start_box(&mut self) {
        let open = if self.in_paragraph() { Open::Aside } else { Open::Frame };
        if matches!(open, Open::Aside) {
            self.markup().start_aside();
        }
        self.open.push(open);
    }

    fn end_open(&mut self) {
        if let Some(open) = self.open.pop() {
            self.close(&open);
        }
    }

    fn close(&mut self, open: &Open) {
        match open {
            // Ignore empty placeholders of a slide.
            Open::Paragraph(..) if self.kind == Kind::Slides && !self.markup().has_open_line() => {}
            // A paragraph that contains only hidden text does not exist for the reader.
            Open::Paragraph(..) if std::mem::take(&mut self.has_hidden) && !self.markup().has_open_line() => {
            }
            Open::Paragraph(block, number) => {
                if !number.is_empty() && self.markup().has_open_line() {
                    self.markup().text_before(&format!("{number} "));
                }
                self.markup().end_paragraph(block);
            }
            Open::Note => self.open_notes = self.open_notes.saturating_sub(1),
            Open::Aside => self.markup().end_aside(),
            Open::Frame => self.in_title = false,
        }
    }

    /// Whether we are between paragraphs, or in one outside tables, notes and text boxes.
    fn turn_page(&mut self) {
        let is_outermost = self.open.len() <= usize::from(self.in_paragraph());
        if self.kind == Kind::Text && is_outermost && !self.main.in_table() && !self.main.is_blank() {
            self.pages.push(self.main.take_page());
        }
    }
}

/// Whether a frame of a slide or a notes page repeats on every page: its number, date, header or footer.
fn is_margin(frame: &Element<'_>) -> bool {
    let class = frame.attribute("class").unwrap_or_default();
    matches!(class.as_str(), "page-number" | "date-time" | "header" | "footer")
}

/// Whether a shape contains paragraphs.
fn is_text_box(name: &str) -> bool {
    matches!(
        name,
        "text-box"
            | "custom-shape"
            | "rect"
            | "ellipse"
            | "circle"
            | "line"
            | "polyline"
            | "polygon"
            | "regular-polygon"
            | "path"
            | "connector"
            | "caption"
            | "measure"
    )
}
