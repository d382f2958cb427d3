//! The record of what was detected on a page, for the reply.
//!
//! Invariant: bounded. A page with more than [`MOST_CELLS`] cells reports the sizes of further tables only.

use super::blocks::{self, Block, Evidence, Place};
use crate::output::reply::clean;
use dossier_extract::{PageHeading, PageStructure, PageTable, TableCell, TableEvidence};

/// Maximum number of cells that are reported for a page.
const MOST_CELLS: usize = 4000;

/// The record of a page's blocks.
pub(super) fn of(blocks: &[Block]) -> PageStructure {
    let mut record = PageStructure::default();
    let mut left = MOST_CELLS;
    for block in blocks {
        match block {
            Block::Heading { level, text } => {
                record.headings.push(PageHeading { level: (*level).clamp(1, 6), text: owned(text) });
            }
            Block::RunningHead { text, .. } => record.running_heads.push(owned(text)),
            Block::Table(table) => {
                let fits = table.cells.len() <= left;
                left -= if fits { table.cells.len() } else { 0 };
                record.tables.push(self::table(table, fits));
            }
            _ => {}
        }
    }
    record
}

fn table(table: &blocks::Table, has_cells: bool) -> PageTable {
    let cell = |cell: &blocks::Cell| TableCell {
        row: number(cell.row),
        column: number(cell.column),
        rows: number(cell.rows),
        columns: number(cell.columns),
        text: owned(&cell.text),
        place: corners(&cell.place),
    };
    let cells = if has_cells { table.cells.as_slice() } else { &[] };
    PageTable {
        rows: number(table.rows),
        columns: number(table.columns),
        header_rows: number(table.heads.min(table.rows)),
        evidence: match table.evidence {
            Evidence::Grid => TableEvidence::Grid,
            Evidence::Rules => TableEvidence::Rules,
            Evidence::Alignment => TableEvidence::Alignment,
        },
        confidence: table.confidence.clamp(0.0, 1.0),
        place: corners(&table.place),
        cells: cells.iter().map(cell).collect(),
    }
}

fn owned(text: &str) -> String {
    clean(text).into_owned()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Tenths of a point are accurate enough.
fn corners(place: &Place) -> [f32; 4] {
    [place.left, place.top, place.right, place.bottom].map(|at| (at * 10.0).round() / 10.0)
}
