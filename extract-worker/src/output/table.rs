//! Builds a table and writes it as text.
//!
//! All cells share one string, because a sheet may have millions of them. A cell is inline text in the output
//! format, with line breaks between its paragraphs.
//!
//! Invariant: independent of file formats.
//! Invariant: the output is at most a few times as long as the text of the cells.

use crate::output::markdown;
use dossier_extract::TextFormat;
use unicode_width::UnicodeWidthStr;

/// Rows of cells.
#[derive(Debug, Default)]
pub(crate) struct Table {
    text: String,
    /// The end of each cell in `text`.
    cells: Vec<usize>,
    /// The end of each row in `cells`.
    rows: Vec<usize>,
    /// The first row, if it was written on an earlier page.
    head: Option<Vec<String>>,
}

/// Columns are aligned if all but the last have at most this total width …
const WIDEST: usize = 120;
/// … and all rows together at most this size.
const MOST_PADDED: usize = 1 << 20;
/// The gap between aligned columns.
const GAP: &str = "  ";
/// The longest first row that is repeated on every page.
const LONGEST_HEAD: usize = 500;

impl Table {
    /// Adds a cell to the open row.
    pub(crate) fn cell(&mut self, text: &str) {
        self.text.push_str(text.trim());
        self.cells.push(self.text.len());
    }

    pub(crate) fn end_row(&mut self) {
        self.rows.push(self.cells.len());
    }

    /// Whether the last row has cells and has not ended.
    pub(crate) fn is_row_open(&self) -> bool {
        self.cells.len() > self.whole_cells()
    }

    /// Whether no row has ended.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether no cell has text.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes the finished rows, for a page that ends before the table does.
    pub(crate) fn take_rows(&mut self) -> Self {
        let cells = self.whole_cells();
        let end = self.cell_start(cells);
        let head = self.head.clone();
        if self.head.is_none() && !self.rows.is_empty() {
            let first: Vec<String> = self.rows().next().into_iter().flatten().map(str::to_owned).collect();
            self.head = (first.iter().map(String::len).sum::<usize>() <= LONGEST_HEAD).then_some(first);
        }
        let open_text = self.text.split_off(end);
        let mut open_cells = self.cells.split_off(cells);
        for open in &mut open_cells {
            *open -= end;
        }
        Self {
            text: std::mem::replace(&mut self.text, open_text),
            cells: std::mem::replace(&mut self.cells, open_cells),
            rows: std::mem::take(&mut self.rows),
            head,
        }
    }

    pub(crate) fn write(&self, out: &mut String, format: TextFormat) {
        match format {
            TextFormat::Text => self.write_text(out),
            TextFormat::Markdown if self.is_frame() => self.write_paragraphs(out),
            TextFormat::Markdown => self.write_markdown(out),
        }
    }

    /// The table as part of a cell of an outer table.
    pub(crate) fn write_within(&self, cell: &mut String) {
        self.write_text(cell);
        cell.truncate(cell.trim_end().len());
    }

    /// The number of cells in finished rows.
    fn whole_cells(&self) -> usize {
        self.rows.last().copied().unwrap_or_default()
    }

    /// The start of a cell in `text`.
    fn cell_start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.cells[before])
    }

    /// The cells of each row.
    fn rows(&self) -> impl Iterator<Item = impl DoubleEndedIterator<Item = &str> + ExactSizeIterator> {
        let mut start = 0;
        self.rows.iter().map(move |&end| {
            let cells = start..end;
            start = end;
            cells.map(|index| &self.text[self.cell_start(index)..self.cells[index]])
        })
    }

    fn columns(&self) -> usize {
        self.rows().map(|row| row.len()).chain(self.head.as_ref().map(Vec::len)).max().unwrap_or_default()
    }

    /// One line per row: aligned if the table is narrow, otherwise separated by tabs. A single column becomes
    /// lines.
    fn write_text(&self, out: &mut String) {
        if self.columns() <= 1 {
            for cell in self.rows().flatten() {
                out.push_str(cell);
                out.push('\n');
            }
            return;
        }
        let widths = self.widths();
        for row in self.rows() {
            let start = out.len();
            for (column, cell) in row.enumerate() {
                push_flat(out, cell);
                match &widths {
                    Some(widths) => {
                        let width = widths.get(column).copied().unwrap_or_default();
                        out.extend(std::iter::repeat_n(' ', width.saturating_sub(flat_width(cell))));
                        out.push_str(GAP);
                    }
                    None => out.push('\t'),
                }
            }
            out.truncate(start + out[start..].trim_end().len());
            out.push('\n');
        }
    }

    /// The width of each column that is followed by text in some row; `None` if the total is too large.
    fn widths(&self) -> Option<Vec<usize>> {
        let mut widths: Vec<usize> = Vec::new();
        let mut sum = 0;
        for mut row in self.rows() {
            // A cell that nothing follows may have any length.
            let last = row.rposition(|cell| !cell.is_empty()).unwrap_or_default();
            for (column, cell) in row.take(last).enumerate() {
                let width = flat_width(cell);
                if column == widths.len() {
                    widths.push(0);
                    sum += GAP.len();
                }
                sum += width.saturating_sub(widths[column]);
                widths[column] = widths[column].max(width);
            }
            if sum > WIDEST {
                return None;
            }
        }
        (self.rows.len().saturating_mul(sum) <= MOST_PADDED).then_some(widths)
    }

    /// Whether the table is only a box around text: a single column that is not a list of values.
    fn is_frame(&self) -> bool {
        self.columns() <= 1 && (self.rows.len() == 1 || self.text.contains('\n'))
    }

    fn write_paragraphs(&self, out: &mut String) {
        let lines = self.rows().flatten().flat_map(str::lines).filter(|line| !line.trim().is_empty());
        for (index, line) in lines.enumerate() {
            if index > 0 {
                out.push_str("\n\n");
            }
            markdown::line(out, line);
        }
    }

    fn write_markdown(&self, out: &mut String) {
        let columns = self.columns();
        if columns == 0 {
            return;
        }
        let mut rows = self.rows();
        // The first row sets the number of columns; later rows may be shorter.
        let written = match &self.head {
            Some(head) => write_row(out, head.iter().map(String::as_str)),
            None => write_row(out, rows.next().into_iter().flatten()),
        };
        out.extend(std::iter::repeat_n("  |", columns - written));
        out.push_str("\n|");
        out.extend(std::iter::repeat_n(" --- |", columns));
        for row in rows {
            out.push('\n');
            write_row(out, row);
        }
    }
}

/// Writes a row without a line break; returns its number of cells.
fn write_row<'c>(out: &mut String, cells: impl Iterator<Item = &'c str>) -> usize {
    let mut written = 0;
    out.push('|');
    for cell in cells {
        out.push(' ');
        for (index, line) in cell.lines().enumerate() {
            if index > 0 {
                out.push_str("<br>");
            }
            push_flat(out, line);
        }
        out.push_str(" |");
        written += 1;
    }
    written
}

/// The text of a cell in one line.
fn push_flat(out: &mut String, cell: &str) {
    if !cell.contains(['\n', '\t']) {
        return out.push_str(cell);
    }
    for (index, word) in cell.split_whitespace().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
}

fn flat_width(cell: &str) -> usize {
    if !cell.contains(['\n', '\t']) {
        return cell.width();
    }
    let mut words = cell.split_whitespace().map(UnicodeWidthStr::width);
    words.next().unwrap_or_default() + words.map(|width| width + 1).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&[&str]]) -> Table {
        let mut table = Table::default();
        for row in rows {
            row.iter().for_each(|cell| table.cell(cell));
            table.end_row();
        }
        table
    }

    fn written(table: &Table, format: TextFormat) -> String {
        let mut out = String::new();
        table.write(&mut out, format);
        out
    }

    #[test]
    fn columns_line_up_and_the_last_may_be_long() {
        let long = "word ".repeat(60);
        let table = table(&[
            &["a title across the whole table, and longer than its columns", "", ""],
            &["a", "b", &long],
            &["ccc", "", "d"],
        ]);
        let expected = format!(
            "a title across the whole table, and longer than its columns\na    b  {}\nccc     d\n",
            long.trim()
        );
        assert_eq!(written(&table, TextFormat::Text), expected);
    }

    #[test]
    fn wide_tables_are_parted_by_tabs() {
        let wide = "w".repeat(WIDEST);
        let table = table(&[&[&wide, "two\nlines"], &["b", "c"]]);
        assert_eq!(written(&table, TextFormat::Text), format!("{wide}\ttwo lines\nb\tc\n"));
    }

    #[test]
    fn a_million_cells_beside_a_wide_one_are_not_padded() {
        let mut table = table(&[&["w".repeat(100).as_str(), "x"]]);
        for _ in 0..100_000 {
            table.cell("");
            table.cell("y");
            table.end_row();
        }
        assert!(written(&table, TextFormat::Text).len() < 400_000);
        assert!(written(&table, TextFormat::Markdown).len() < 1_000_000);
    }

    #[test]
    fn rows_shorter_than_the_widest_are_not_filled_up() {
        let mut table = table(&[&["a"]]);
        (0..1000).for_each(|_| table.cell("b"));
        table.end_row();
        for _ in 0..1000 {
            table.cell("c");
            table.end_row();
        }
        assert!(written(&table, TextFormat::Markdown).len() < 50_000);
    }

    #[test]
    fn a_page_takes_the_rows_that_have_ended() {
        let mut table = table(&[&["Name", "Sum"], &["a", "1"]]);
        table.cell("b");
        let taken = table.take_rows();
        table.cell("2");
        table.end_row();
        assert_eq!(written(&taken, TextFormat::Text), "Name  Sum\na     1\n");
        assert_eq!(written(&table, TextFormat::Text), "b  2\n");
        assert_eq!(written(&table, TextFormat::Markdown), "| Name | Sum |\n| --- | --- |\n| b | 2 |");
    }

    #[test]
    fn a_frame_is_what_is_in_it() {
        let table = table(&[&["Notice\n# Bring a towel"]]);
        assert_eq!(written(&table, TextFormat::Text), "Notice\n# Bring a towel\n");
        assert_eq!(written(&table, TextFormat::Markdown), "Notice\n\n\\# Bring a towel");
    }
}
