//! The structure of a page, as the worker reports it.

use crate::characters::is_clean;
use serde::{Deserialize, Serialize};

/// What was detected on a page, in reading order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PageStructure {
    /// Its headings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headings: Vec<PageHeading>,
    /// Text that the document's pages repeat at their top or bottom.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub running_heads: Vec<String>,
    /// Its tables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<PageTable>,
    /// The page as Markdown, if [`crate::Page::text`] is plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markdown: Option<String>,
}

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageHeading {
    /// From 1, the outermost, to 6.
    pub level: u8,
    /// Its words.
    pub text: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageTable {
    /// Number of rows.
    pub rows: u32,
    /// Number of columns.
    pub columns: u32,
    /// Number of rows at the top that name the columns.
    pub header_rows: u32,
    /// How it was detected.
    pub evidence: TableEvidence,
    /// How certain it is, 0 to 1.
    pub confidence: f32,
    /// Left, top, right and bottom in points, from the top left of the page as it is read.
    #[serde(rename = "box")]
    pub place: [f32; 4],
    /// Its cells, row by row. Positions that a span covers have no cell of their own. Empty if the page has too many.
    pub cells: Vec<TableCell>,
}

/// How a table was detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableEvidence {
    /// From rules around its cells.
    Grid,
    /// From rules between some of its rows.
    Rules,
    /// From aligned words.
    Alignment,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableCell {
    /// Its first row, from 0.
    pub row: u32,
    /// Its first column, from 0.
    pub column: u32,
    /// The number of rows that it spans.
    #[serde(rename = "row_span")]
    pub rows: u32,
    /// The number of columns that it spans.
    #[serde(rename = "column_span")]
    pub columns: u32,
    /// Its words.
    pub text: String,
    /// As [`PageTable::place`].
    #[serde(rename = "box")]
    pub place: [f32; 4],
}

impl PageStructure {
    /// Whether all of it can be believed: no control characters, cells inside of their tables, finite places.
    pub(crate) fn is_valid(&self) -> bool {
        let is_text = |text: &str| text.chars().all(is_clean);
        let is_heading = |heading: &PageHeading| (1..=6).contains(&heading.level) && is_text(&heading.text);
        let is_cell = |cell: &TableCell, table: &PageTable| {
            let ends = |first: u32, many: u32, all: u32| {
                many > 0 && first.checked_add(many).is_some_and(|end| end <= all)
            };
            ends(cell.row, cell.rows, table.rows)
                && ends(cell.column, cell.columns, table.columns)
                && is_text(&cell.text)
                && cell.place.iter().all(|at| at.is_finite())
        };
        let is_table = |table: &PageTable| {
            (0.0..=1.0).contains(&table.confidence)
                && table.header_rows <= table.rows
                && table.place.iter().all(|at| at.is_finite())
                && table.cells.iter().all(|cell| is_cell(cell, table))
        };
        self.headings.iter().all(is_heading)
            && self.running_heads.iter().all(|text| is_text(text))
            && self.markdown.as_ref().is_none_or(|text| is_text(text))
            && self.tables.iter().all(is_table)
    }
}
