//! Text with structure: what the readers of office files, web pages and mail write into.
//!
//! A reader tells what it meets, in order: characters, the ends of paragraphs, tables; here it becomes
//! plain text or Markdown.
//!
//! Invariant: knows no file format. A reader knows no output format.

use dossier_extract::TextFormat;
use unicode_width::UnicodeWidthStr;

/// What a paragraph is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Block {
    /// A paragraph like others.
    #[default]
    Plain,
    /// A heading, from 1, the outermost.
    Heading(u8),
    /// An item of a list.
    Item {
        /// From 0, the outermost.
        depth: u8,
        /// `•`, `1.`, `(b)`: what the reader of the document sees before the item.
        marker: String,
    },
    /// Lines that stay as they are.
    Preformatted,
}

/// Text as it grows.
#[derive(Debug, Default)]
pub(crate) struct Prose {
    format: TextFormat,
    out: String,
    /// The open paragraph.
    line: String,
    /// The open table, and how many are open within each other. Tables within a cell are part of its text.
    table: Table,
    tables: usize,
}

#[derive(Debug, Default)]
struct Table {
    rows: Vec<Vec<String>>,
    row: Vec<String>,
}

/// Columns are lined up where the widest row then has at most so many columns of text.
const WIDEST_TABLE: usize = 120;
/// Between columns that are lined up.
const GAP: &str = "  ";
/// Rows are filled up to the widest where the table then has at most so many times its cells.
const MOST_PADDING: usize = 16;

impl Prose {
    pub(crate) fn new(format: TextFormat) -> Self {
        Self { format, ..Self::default() }
    }

    /// How structure is written.
    pub(crate) fn format(&self) -> TextFormat {
        self.format
    }

    /// Whether a table is open.
    pub(crate) fn in_table(&self) -> bool {
        self.tables > 0
    }

    /// Characters of the open paragraph.
    pub(crate) fn text(&mut self, text: &str) {
        self.line.push_str(text);
    }

    /// A line end within the paragraph; in a table a blank, since a row is a line.
    pub(crate) fn line_break(&mut self) {
        if self.in_table() { self.blank() } else { self.line.push('\n') }
    }

    /// A blank, unless there is one.
    pub(crate) fn blank(&mut self) {
        if !self.line.is_empty() && !self.line.ends_with(char::is_whitespace) {
            self.line.push(' ');
        }
    }

    /// Ends the open paragraph. An empty one is an empty line in plain text, and nothing in Markdown.
    pub(crate) fn end_paragraph(&mut self, block: &Block) {
        if self.in_table() {
            return self.blank();
        }
        let line = std::mem::take(&mut self.line);
        let text = if *block == Block::Preformatted { line.as_str() } else { line.trim_end() };
        match self.format {
            TextFormat::Text => self.plain(text, block),
            TextFormat::Markdown if text.trim().is_empty() => {}
            TextFormat::Markdown => self.markdown(text, block),
        }
    }

    fn plain(&mut self, text: &str, block: &Block) {
        if let Block::Item { depth, marker } = block {
            indent(&mut self.out, *depth);
            self.out.push_str(marker);
            self.out.push(' ');
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn markdown(&mut self, text: &str, block: &Block) {
        match block {
            Block::Plain => self.out.push_str(&text.replace('\n', "  \n")),
            Block::Heading(level) => {
                self.out.extend(std::iter::repeat_n('#', usize::from((*level).clamp(1, 6))));
                self.out.push(' ');
                self.out.push_str(&text.replace('\n', " "));
            }
            Block::Item { depth, marker } => {
                // Items of a list stand together.
                if self.out.ends_with("\n\n") && self.last_is_item() {
                    self.out.pop();
                }
                indent(&mut self.out, *depth);
                self.out.push_str(&markdown_marker(marker));
                self.out.push(' ');
                self.out.push_str(&text.replace('\n', " "));
            }
            Block::Preformatted => {
                self.out.push_str("```\n");
                self.out.push_str(text.trim_end_matches('\n'));
                self.out.push_str("\n```");
            }
        }
        self.out.push_str("\n\n");
    }

    fn last_is_item(&self) -> bool {
        let last = self.out.trim_end().rsplit('\n').next().unwrap_or_default().trim_start();
        last.starts_with("- ")
            || last.split_once(". ").is_some_and(|(number, _)| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            })
    }

    pub(crate) fn start_table(&mut self) {
        if self.tables > 0 {
            self.blank();
        } else if !self.line.is_empty() {
            self.end_paragraph(&Block::Plain);
        }
        self.tables += 1;
    }

    pub(crate) fn end_cell(&mut self) {
        if self.tables == 1 {
            let cell = std::mem::take(&mut self.line);
            self.table.row.push(cell.trim().to_owned());
        } else {
            self.blank();
        }
    }

    pub(crate) fn end_row(&mut self) {
        if self.tables == 1 {
            // Words outside any cell are not lost.
            if !self.line.trim().is_empty() {
                self.end_cell();
            }
            let row = std::mem::take(&mut self.table.row);
            self.table.rows.push(row);
        }
    }

    pub(crate) fn end_table(&mut self) {
        if self.tables == 1 {
            if !self.table.row.is_empty() || !self.line.trim().is_empty() {
                self.end_row();
            }
            self.line.clear();
            let rows = std::mem::take(&mut self.table.rows);
            write_table(&mut self.out, &rows, self.format);
        }
        self.tables = self.tables.saturating_sub(1);
    }

    /// Whether a paragraph is open that has words.
    pub(crate) fn has_open_line(&self) -> bool {
        !self.line.trim().is_empty()
    }

    /// Adds a text that is finished, in the same format.
    pub(crate) fn append(&mut self, finished: &str) {
        self.out.push_str(finished);
    }

    /// Whether nothing has been written since the last page was taken.
    pub(crate) fn is_blank(&self) -> bool {
        !self.in_table() && self.out.trim().is_empty() && self.line.trim().is_empty()
    }

    /// The page so far; what is open in a table stays for the next.
    pub(crate) fn take_page(&mut self) -> String {
        if !self.in_table() && !self.line.is_empty() {
            self.end_paragraph(&Block::Plain);
        }
        let mut page = std::mem::take(&mut self.out);
        if self.format == TextFormat::Markdown {
            page.truncate(page.trim_end().len());
            page.push('\n');
        }
        page
    }

    /// The rest, whatever is open.
    pub(crate) fn finish(mut self) -> String {
        self.tables = self.tables.min(1);
        self.end_table();
        self.take_page()
    }
}

fn indent(out: &mut String, depth: u8) {
    out.extend(std::iter::repeat_n("  ", usize::from(depth.min(16))));
}

/// Markdown knows `-` and `1.`; a marker of another kind is kept as words of the item.
fn markdown_marker(marker: &str) -> String {
    let number = marker.strip_suffix(['.', ')']).unwrap_or_default();
    match () {
        () if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => format!("{number}."),
        () if marker.chars().any(char::is_alphanumeric) => format!("- {marker}"),
        () => "-".to_owned(),
    }
}

fn write_table(out: &mut String, rows: &[Vec<String>], format: TextFormat) {
    match format {
        TextFormat::Text => write_rows(out, rows),
        TextFormat::Markdown => write_markdown(out, rows),
    }
}

/// A row a line: lined up where the table is narrow, else parted by tabs.
fn write_rows(out: &mut String, rows: &[Vec<String>]) {
    let widths = widths(rows);
    let width: usize = widths.iter().sum::<usize>() + widths.len().saturating_sub(1) * GAP.len();
    let is_narrow = width <= WIDEST_TABLE;
    for row in rows {
        let start = out.len();
        for (column, cell) in row.iter().enumerate() {
            out.push_str(cell);
            if is_narrow {
                let pad = widths[column] - cell.width();
                out.extend(std::iter::repeat_n(' ', pad));
                out.push_str(GAP);
            } else {
                out.push('\t');
            }
        }
        out.truncate(start + out[start..].trim_end().len());
        out.push('\n');
    }
}

fn write_markdown(out: &mut String, rows: &[Vec<String>]) {
    let widest = rows.iter().map(Vec::len).max().unwrap_or_default();
    if widest == 0 {
        return;
    }
    // One wide row among many narrow ones would cost its width for each of them.
    let cells: usize = rows.iter().map(Vec::len).sum();
    let is_even = widest.saturating_mul(rows.len()) <= cells.saturating_mul(MOST_PADDING);
    for (index, row) in rows.iter().enumerate() {
        let columns = if is_even || index == 0 { widest } else { row.len() };
        for column in 0..columns {
            let cell = row.get(column).map(String::as_str).unwrap_or_default();
            out.push_str("| ");
            out.push_str(&cell.replace('|', "\\|"));
            out.push(' ');
        }
        out.push_str("|\n");
        if index == 0 {
            out.extend(std::iter::repeat_n("| --- ", widest));
            out.push_str("|\n");
        }
    }
    out.push('\n');
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(format: TextFormat) -> String {
        let mut prose = Prose::new(format);
        prose.text("Report");
        prose.end_paragraph(&Block::Heading(1));
        prose.text("First");
        prose.end_paragraph(&Block::Item { depth: 0, marker: "1.".to_owned() });
        prose.text("Second");
        prose.end_paragraph(&Block::Item { depth: 0, marker: "2.".to_owned() });
        prose.start_table();
        for row in [["Name", "Sum"], ["a|b", "1"]] {
            for cell in row {
                prose.text(cell);
                prose.end_cell();
            }
            prose.end_row();
        }
        prose.end_table();
        prose.finish()
    }

    #[test]
    fn plain_text_lines_tables_up() {
        assert_eq!(sample(TextFormat::Text), "Report\n1. First\n2. Second\nName  Sum\na|b   1\n");
    }

    #[test]
    fn markdown_keeps_structure() {
        let expected = "# Report\n\n1. First\n2. Second\n\n| Name | Sum |\n| --- | --- |\n| a\\|b | 1 |\n";
        assert_eq!(sample(TextFormat::Markdown), expected);
    }

    #[test]
    fn tables_within_a_cell_are_its_words() {
        let mut prose = Prose::new(TextFormat::Text);
        prose.start_table();
        prose.text("outer");
        prose.start_table();
        prose.text("inner");
        prose.end_cell();
        prose.end_row();
        prose.end_table();
        prose.end_cell();
        assert_eq!(prose.finish(), "outer inner\n");
    }
}
