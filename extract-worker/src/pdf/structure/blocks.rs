//! The blocks of a page in reading order. Markdown is written from them.

/// One part of a page.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pdf) enum Block {
    Heading {
        level: u8,
        text: String,
    },
    Paragraph(String),
    /// Consecutive items of a list.
    List(Vec<Item>),
    /// Lines of program text.
    Code(Vec<String>),
    Table(Table),
    /// The text of a figure's or table's caption.
    Caption(String),
    Footnote(String),
    /// Text that pages repeat at their top or bottom, such as page numbers.
    RunningHead {
        is_at_top: bool,
        text: String,
    },
}

/// One item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pdf) struct Item {
    /// From 0, the outermost.
    pub(in crate::pdf) depth: u8,
    /// As printed: `•`, `3.` or `b)`.
    pub(in crate::pdf) marker: String,
    pub(in crate::pdf) text: String,
}

/// How a table was detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pdf) enum Evidence {
    /// From rules around its cells.
    Grid,
    /// From rules between its rows.
    Rules,
    /// From aligned words.
    Alignment,
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pdf) struct Table {
    pub(in crate::pdf) evidence: Evidence,
    /// 0 to 1.
    pub(in crate::pdf) confidence: f32,
    pub(in crate::pdf) rows: usize,
    pub(in crate::pdf) columns: usize,
    /// Number of header rows.
    pub(in crate::pdf) heads: usize,
    /// Row by row. Positions covered by a span have no cell of their own.
    pub(in crate::pdf) cells: Vec<Cell>,
    pub(in crate::pdf) place: Place,
    /// The header cells on the earlier page where the table begins, if this page does not repeat them.
    pub(in crate::pdf) head_above: Vec<Cell>,
}

/// One cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pdf) struct Cell {
    pub(in crate::pdf) row: usize,
    pub(in crate::pdf) column: usize,
    /// The number of rows and columns it spans.
    pub(in crate::pdf) rows: usize,
    pub(in crate::pdf) columns: usize,
    pub(in crate::pdf) text: String,
    pub(in crate::pdf) place: Place,
}

/// A rectangle in the frame of the text: `left` to `right` along the lines, `top` to `bottom` across them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::pdf) struct Place {
    pub(in crate::pdf) left: f32,
    pub(in crate::pdf) top: f32,
    pub(in crate::pdf) right: f32,
    pub(in crate::pdf) bottom: f32,
}

impl Place {
    pub(in crate::pdf) fn width(&self) -> f32 {
        self.right - self.left
    }

    pub(in crate::pdf) fn height(&self) -> f32 {
        self.bottom - self.top
    }

    pub(in crate::pdf) fn contains(&self, u: f32, v: f32) -> bool {
        (self.left..=self.right).contains(&u) && (self.top..=self.bottom).contains(&v)
    }

    /// The horizontal overlap with another place in points; negative if there is a gap.
    pub(in crate::pdf) fn common_width(&self, other: &Self) -> f32 {
        self.right.min(other.right) - self.left.max(other.left)
    }

    pub(in crate::pdf) fn common_height(&self, other: &Self) -> f32 {
        self.bottom.min(other.bottom) - self.top.max(other.top)
    }

    pub(in crate::pdf) fn around(self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

impl Table {
    /// Whether any cell, also of the header above, spans rows or columns.
    pub(in crate::pdf) fn has_spans(&self) -> bool {
        self.head_above.iter().chain(&self.cells).any(|cell| cell.rows > 1 || cell.columns > 1)
    }
}
