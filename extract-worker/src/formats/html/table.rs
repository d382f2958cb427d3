//! An open table: which columns the cells of earlier rows still span.

/// Maximum column for cells that span rows, as in the HTML standard.
const MOST_COLUMNS: usize = 1000;

/// An open table.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) is_layout: bool,
    /// Whether it has a row. Text before the first row, usually the caption, goes before the table.
    pub(super) has_rows: bool,
    pub(super) in_row: bool,
    /// How many columns the open cell spans, and how many rows below this one.
    pub(super) columns: usize,
    pub(super) rows_below: u32,
    /// The column of the next cell.
    pub(super) column: usize,
    /// For each column, how many more rows a cell from above spans. These rows have no cell of their own there.
    pub(super) spans: Vec<Span>,
}

/// A cell that spans rows below its own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) rows: u32,
    /// It begins in the open row.
    is_new: bool,
}

impl Table {
    pub(super) fn end_cell(&mut self, columns: usize) {
        let end = (self.column + columns).min(MOST_COLUMNS);
        if self.rows_below > 0 && self.column < end {
            if self.spans.len() < end {
                self.spans.resize(end, Span::default());
            }
            self.spans[self.column..end].fill(Span { rows: self.rows_below, is_new: true });
        }
        self.rows_below = 0;
        self.column += columns;
    }

    pub(super) fn end_row(&mut self) {
        self.column = 0;
        for span in &mut self.spans {
            if !std::mem::take(&mut span.is_new) {
                span.rows = span.rows.saturating_sub(1);
            }
        }
        while self.spans.last().is_some_and(|span| span.rows == 0) {
            self.spans.pop();
        }
    }
}
