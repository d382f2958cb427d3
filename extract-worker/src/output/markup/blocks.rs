//! Writes a sequence of paragraphs and tables.

use super::{Block, DEEPEST};
use crate::output::markdown::{self, Link, Place};
use crate::output::table::Table;
use dossier_extract::TextFormat;

/// A sequence of paragraphs and tables.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    out: String,
    /// The open paragraph.
    line: String,
    /// Its links. The end of the last one is set when it is closed.
    links: Vec<Link>,
    in_link: bool,
    /// Open tables, outermost first, and how many more are open beyond the nesting limit.
    tables: Vec<OpenTable>,
    deeper_tables: usize,
    /// Text to write after the open paragraph or table.
    asides: String,
    /// For Markdown lists: the marker widths of the open item and its ancestors.
    markers: Vec<usize>,
    last: Last,
}

#[derive(Debug, Default)]
struct OpenTable {
    table: Table,
    /// The paragraphs of the open cell.
    cell: String,
}

/// The kind of the last block; in Markdown the space between two blocks depends on it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Last {
    #[default]
    Other,
    Item,
    Preformatted,
}

/// Maximum indentation level of lists.
const DEEPEST_ITEM: u8 = 16;

impl Blocks {
    pub(super) fn in_table(&self) -> bool {
        !self.tables.is_empty()
    }

    pub(super) fn text(&mut self, text: &str) {
        self.line.push_str(text);
    }

    /// Inserts text at the start of the open paragraph.
    pub(super) fn text_before(&mut self, text: &str) {
        self.line.insert_str(0, text);
        for link in &mut self.links {
            link.words = link.words.start + text.len()..link.words.end + text.len();
        }
    }

    pub(super) fn blank(&mut self) {
        if !self.line.is_empty() && !self.line.ends_with(char::is_whitespace) {
            self.line.push(' ');
        }
    }

    /// The text of the open paragraph.
    pub(super) fn open_words(&self) -> &str {
        self.line.trim()
    }

    pub(super) fn start_link(&mut self, url: &str) {
        if !std::mem::replace(&mut self.in_link, true) {
            let here = self.line.len();
            self.links.push(Link { words: here..here, url: url.to_owned() });
        }
    }

    pub(super) fn end_link(&mut self) {
        if std::mem::take(&mut self.in_link)
            && let Some(link) = self.links.last_mut()
        {
            link.words.end = self.line.len();
        }
    }

    pub(super) fn end_paragraph(&mut self, block: &Block, format: TextFormat) {
        self.end_link();
        let line = std::mem::take(&mut self.line);
        let links = std::mem::take(&mut self.links);
        if !self.tables.is_empty() {
            return self.end_cell_paragraph(&line, &links, block, format);
        }
        match format {
            TextFormat::Text => self.plain(&line, block),
            TextFormat::Markdown if line.trim().is_empty() => {}
            TextFormat::Markdown => self.markdown(&line, &links, block),
        }
        self.say_asides(format);
    }

    fn end_cell_paragraph(&mut self, line: &str, links: &[Link], block: &Block, format: TextFormat) {
        let Some(OpenTable { cell, .. }) = self.tables.last_mut() else { return };
        let marker = match block {
            Block::Item { marker, .. } => marker.as_str(),
            _ => "",
        };
        if line.trim().is_empty() && marker.is_empty() {
            return;
        }
        if !cell.is_empty() {
            cell.push('\n');
        }
        match format {
            TextFormat::Text => push_words(cell, marker, line),
            TextFormat::Markdown => {
                let inline = |text: &str, links| markdown::inline(text, links, Place::Cell);
                push_words(cell, &inline(marker, &[]), &inline(line, links));
            }
        }
    }

    fn plain(&mut self, line: &str, block: &Block) {
        // A page does not start with empty lines.
        if self.out.is_empty() && *block == Block::Plain && line.trim().is_empty() {
            return;
        }
        if let Block::Item { depth, marker } = block {
            self.out.extend(std::iter::repeat_n("  ", usize::from(*depth.min(&DEEPEST_ITEM))));
            self.out.push_str(marker);
            self.out.push(' ');
        }
        self.out.push_str(if *block == Block::Preformatted { line } else { line.trim_end() });
        self.out.truncate(self.out.trim_end_matches([' ', '\t']).len());
        self.out.push('\n');
    }

    fn markdown(&mut self, line: &str, links: &[Link], block: &Block) {
        match block {
            Block::Preformatted => return self.fenced(line),
            Block::Plain => {
                self.separate(Last::Other);
                write_lines(&mut self.out, &markdown::inline(line, links, Place::Paragraph), 0);
            }
            Block::Heading(level) => {
                self.separate(Last::Other);
                self.out.extend(std::iter::repeat_n('#', usize::from((*level).clamp(1, 6))));
                self.out.push(' ');
                let words = markdown::inline(line, links, Place::Paragraph).replace('\n', " ");
                markdown::heading(&mut self.out, &words);
            }
            Block::Item { depth, marker } => {
                self.separate(Last::Item);
                self.markers.truncate(usize::from(*depth.min(&DEEPEST_ITEM)));
                let indent = self.markers.iter().sum();
                self.out.extend(std::iter::repeat_n(' ', indent));
                let width = write_marker(&mut self.out, marker);
                self.markers.push(width);
                write_lines(&mut self.out, &markdown::inline(line, links, Place::Paragraph), indent + width);
            }
        }
        if !matches!(block, Block::Item { .. }) {
            self.markers.clear();
        }
    }

    /// Consecutive preformatted lines share one fence.
    fn fenced(&mut self, line: &str) {
        let line = line.trim_end_matches('\n');
        let fence = markdown::fence(line);
        let closing = format!("\n{fence}");
        if self.last == Last::Preformatted && self.out.ends_with(&closing) {
            self.out.truncate(self.out.len() - closing.len());
            self.out.push('\n');
        } else {
            self.separate(Last::Preformatted);
            self.out.push_str(&fence);
            self.out.push('\n');
        }
        self.markers.clear();
        self.out.push_str(line);
        self.out.push_str(&closing);
    }

    /// The space before the next block.
    fn separate(&mut self, next: Last) {
        let last = std::mem::replace(&mut self.last, next);
        if !self.out.is_empty() {
            // List items are not separated by blank lines.
            self.out.push_str(if (last, next) == (Last::Item, Last::Item) { "\n" } else { "\n\n" });
        }
    }

    pub(super) fn start_table(&mut self, format: TextFormat) {
        if !self.open_words().is_empty() {
            self.end_paragraph(&Block::Plain, format);
        }
        if self.tables.len() < DEEPEST {
            self.tables.push(OpenTable::default());
        } else {
            self.deeper_tables += 1;
        }
    }

    pub(super) fn end_cell(&mut self, format: TextFormat) {
        self.end_paragraph(&Block::Plain, format);
        if self.deeper_tables == 0
            && let Some(OpenTable { table, cell }) = self.tables.last_mut()
        {
            table.cell(&std::mem::take(cell));
        }
    }

    pub(super) fn end_row(&mut self, format: TextFormat) {
        if self.deeper_tables > 0 {
            return;
        }
        // Keep text outside of cells.
        if self.has_open_cell() {
            self.end_cell(format);
        }
        if let Some(OpenTable { table, .. }) = self.tables.last_mut() {
            table.end_row();
        }
    }

    pub(super) fn end_table(&mut self, format: TextFormat) {
        if self.deeper_tables > 0 {
            self.deeper_tables -= 1;
            return;
        }
        let is_row_open = self.tables.last().is_some_and(|open| open.table.is_row_open());
        if is_row_open || self.has_open_cell() {
            self.end_row(format);
        }
        self.line.clear();
        self.links.clear();
        let Some(OpenTable { table, .. }) = self.tables.pop() else { return };
        if let Some(OpenTable { cell, .. }) = self.tables.last_mut() {
            if !cell.is_empty() {
                cell.push('\n');
            }
            table.write_within(cell);
        } else {
            self.write_table(&table, format);
            self.say_asides(format);
        }
    }

    fn has_open_cell(&self) -> bool {
        !self.line.trim().is_empty() || self.tables.last().is_some_and(|open| !open.cell.trim().is_empty())
    }

    fn write_table(&mut self, table: &Table, format: TextFormat) {
        if table.is_empty() {
            return;
        }
        if format == TextFormat::Markdown {
            self.separate(Last::Other);
            self.markers.clear();
        }
        table.write(&mut self.out, format);
    }

    pub(super) fn push_aside(&mut self, aside: &str, format: TextFormat) {
        push_blocks(&mut self.asides, aside, format);
    }

    fn say_asides(&mut self, format: TextFormat) {
        if !self.asides.is_empty() {
            let asides = std::mem::take(&mut self.asides);
            self.append(&asides, format);
        }
    }

    /// Appends complete blocks. Returns their start position.
    pub(super) fn append(&mut self, blocks: &str, format: TextFormat) -> usize {
        let start = push_blocks(&mut self.out, blocks, format);
        self.last = Last::Other;
        self.markers.clear();
        start
    }

    /// Bytes written since the last page was taken.
    pub(super) fn written(&self) -> usize {
        self.out.len()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.tables.iter().all(|open| open.table.is_blank() && open.cell.is_empty())
            && [&self.out, &self.line, &self.asides].iter().all(|text| text.trim().is_empty())
    }

    pub(super) fn take_page(&mut self, format: TextFormat) -> String {
        if let Some(outermost) = self.tables.first_mut() {
            let rows = outermost.table.take_rows();
            self.write_table(&rows, format);
        } else if !self.line.is_empty() {
            self.end_paragraph(&Block::Plain, format);
        }
        self.say_asides(format);
        self.last = Last::Other;
        self.markers.clear();
        let mut page = std::mem::take(&mut self.out);
        if format == TextFormat::Markdown {
            page.truncate(page.trim_end().len());
            page.push('\n');
        }
        page
    }

    /// Closes everything and returns the rest.
    pub(super) fn close(mut self, format: TextFormat) -> String {
        self.deeper_tables = 0;
        while !self.tables.is_empty() {
            self.end_table(format);
        }
        self.take_page(format)
    }
}

/// Inline text as one block; lines after the first are indented.
fn write_lines(out: &mut String, text: &str, indent: usize) {
    for (index, line) in text.trim().lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        if index > 0 {
            out.push_str("  \n");
            out.extend(std::iter::repeat_n(' ', indent));
        }
        markdown::line(out, line);
    }
}

/// Writes the marker of an item. Markdown supports `-`, `1.` and `1)`; other markers become part of the text.
/// Returns the indentation of the item's text.
fn write_marker(out: &mut String, marker: &str) -> usize {
    let number = marker.strip_suffix(['.', ')']).unwrap_or_default();
    let is_number = (1..=9).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        out.push_str(marker);
        out.push(' ');
        return marker.len() + 1;
    }
    out.push_str("- ");
    if marker.chars().any(char::is_alphanumeric) {
        out.push_str(&markdown::inline(marker, &[], Place::Paragraph));
        out.push(' ');
    }
    2
}

/// Writes a marker and text, if present.
fn push_words(out: &mut String, marker: &str, words: &str) {
    let words = words.trim();
    out.push_str(marker);
    if !marker.is_empty() && !words.is_empty() {
        out.push(' ');
    }
    out.push_str(words);
}

/// Appends complete blocks. Returns their start position.
fn push_blocks(out: &mut String, blocks: &str, format: TextFormat) -> usize {
    let blocks = match format {
        TextFormat::Text => blocks,
        TextFormat::Markdown => blocks.trim_end(),
    };
    if format == TextFormat::Markdown && !out.is_empty() && !blocks.is_empty() {
        out.push_str("\n\n");
    }
    let start = out.len();
    out.push_str(blocks);
    start
}
