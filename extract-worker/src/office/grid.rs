//! The cells of a sheet by row and column.
//!
//! Empty rows and columns are omitted; the rest is written as a table.
//!
//! Invariant: memory and work depend on the number of cells with text, never on their addresses.

use crate::output::markup::Markup;
use dossier_extract::protocol::Failure;
use std::collections::BTreeSet;

/// A sheet, built row by row.
#[derive(Debug)]
pub(crate) struct Grid {
    text: String,
    cells: Vec<Cell>,
    /// The end of each row in `cells`.
    rows: Vec<usize>,
    /// The columns with text.
    columns: BTreeSet<u32>,
    /// Maximum size of its output, including one separator per cell.
    limit: u64,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    column: u32,
    /// Its end in the text.
    end: usize,
}

/// The last column that any spreadsheet program supports.
const LAST_COLUMN: u32 = 16_383;
/// Cells are aligned in columns if the table then has at most this many positions per cell …
const MOST_PLACES_A_CELL: usize = 8;
/// … or at most this many positions in total.
const FEW_PLACES: usize = 4096;

impl Grid {
    pub(crate) fn new(limit: u64) -> Self {
        Self { text: String::new(), cells: Vec::new(), rows: Vec::new(), columns: BTreeSet::new(), limit }
    }

    /// Adds a cell to the open row; columns count from 0.
    pub(crate) fn cell(&mut self, column: u32, text: &str) -> Result<(), Failure> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        if (self.text.len() + text.len() + self.cells.len()) as u64 > self.limit {
            return Err(Failure::LimitExceeded { limit: "output_bytes".to_owned() });
        }
        let column = column.min(LAST_COLUMN);
        self.columns.insert(column);
        self.text.push_str(text);
        self.cells.push(Cell { column, end: self.text.len() });
        Ok(())
    }

    /// Ends the open row and repeats it so that it occurs `times` times.
    pub(crate) fn end_row(&mut self, times: u64) -> Result<(), Failure> {
        let start = self.rows.last().copied().unwrap_or_default();
        let end = self.cells.len();
        if start == end {
            return Ok(());
        }
        self.rows.push(end);
        for _ in 1..times {
            for index in start..end {
                let text = self.text[self.cell_start(index)..self.cells[index].end].to_owned();
                self.cell(self.cells[index].column, &text)?;
            }
            self.rows.push(self.cells.len());
        }
        Ok(())
    }

    /// Writes the table.
    pub(crate) fn write(mut self, markup: &mut Markup) {
        self.rows.push(self.cells.len());
        let places = self.rows.len().saturating_mul(self.columns.len());
        let is_dense = places <= FEW_PLACES.max(self.cells.len().saturating_mul(MOST_PLACES_A_CELL));
        let columns: Vec<u32> = self.columns.iter().copied().collect();
        markup.start_table();
        let mut start = 0;
        for &end in &self.rows {
            let mut place = 0;
            for index in start..end {
                let Cell { column, end } = self.cells[index];
                if is_dense && let Ok(its_place) = columns.binary_search(&column) {
                    (place..its_place).for_each(|_| markup.end_cell());
                    place = place.max(its_place);
                }
                markup.text(&self.text[self.cell_start(index)..end]);
                markup.end_cell();
                place += 1;
            }
            if start < end {
                markup.end_row();
            }
            start = end;
        }
        markup.end_table();
    }

    fn cell_start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.cells[before].end)
    }
}
