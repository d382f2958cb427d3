//! What continues on the next page: words that are divided at the end of a page, and tables.
//!
//! A divided word is written on the page where it begins. The rows of a table stay on their pages, so that they can be cited. If
//! the next page does not repeat the header, its part of the table has no header row of its own, and its Markdown is written
//! with the header of the table's beginning.

use super::blocks::{Block, Cell, Table};
use super::paragraphs;

/// Borders of columns on two pages differ by at most this many points.
const SLACK: f32 = 3.0;
/// Longer headers are not repeated, in characters.
const LONGEST_HEAD: usize = 1000;
/// Words that mark the title of a continued table.
const CONTINUED: [&str; 6] = ["continued", "cont'd", "(cont", "fortsetzung", "suite)", "continuación"];

/// Joins what continues from one page to the next.
pub(super) fn join(above: &mut [Block], below: &mut Vec<Block>) {
    join_word(above, below);
    join_table(above, below);
}

/// Text and tables that running heads and footnotes surround.
fn is_body(block: &Block) -> bool {
    !matches!(block, Block::RunningHead { .. } | Block::Footnote(_))
}

fn join_word(above: &mut [Block], below: &mut Vec<Block>) {
    let first = match above.iter_mut().rfind(|block| is_body(block)) {
        Some(Block::Paragraph(text)) => text,
        Some(Block::List(items)) => match items.last_mut() {
            Some(item) => &mut item.text,
            None => return,
        },
        _ => return,
    };
    let Some(index) = below.iter().position(is_body) else { return };
    let Block::Paragraph(second) = &mut below[index] else { return };
    if !paragraphs::is_divided(first, second) {
        return;
    }
    let end = second.find(char::is_whitespace).unwrap_or(second.len());
    paragraphs::join(first, &second[..end]);
    second.replace_range(..end, "");
    second.replace_range(..second.len() - second.trim_start().len(), "");
    if second.is_empty() {
        below.remove(index);
    }
}

fn join_table(above: &mut [Block], below: &mut [Block]) {
    let Some(Block::Table(first)) = above.iter().rfind(|block| is_body(block)) else { return };
    let is_title = |block: &Block| {
        let text = match block {
            Block::Paragraph(text) | Block::Caption(text) | Block::Heading { text, .. } => {
                text.to_lowercase()
            }
            _ => return false,
        };
        text.chars().count() < 150 && CONTINUED.iter().any(|word| text.contains(word))
    };
    let next = below.iter_mut().filter(|block| is_body(block)).find(|block| !is_title(block));
    let Some(Block::Table(second)) = next else { return };
    let is_repeated =
        above.iter().any(|block| matches!(block, Block::Table(table) if has_row(table, second)));
    if is_repeated || !are_columns_alike(first, second) || has_same_head(first, second) {
        return;
    }
    let head = if first.head_above.is_empty() { head(first) } else { first.head_above.clone() };
    if head.iter().map(|cell| cell.text.len()).sum::<usize>() <= LONGEST_HEAD {
        second.heads = 0;
        second.head_above = head;
    }
}

fn head(table: &Table) -> Vec<Cell> {
    table.cells.iter().filter(|cell| cell.row < table.heads).cloned().collect()
}

/// Whether a row of a table is the first row of the second one: then that is a header, wherever the table above was divided.
fn has_row(table: &Table, second: &Table) -> bool {
    let rows = |table: &Table| table.cells.chunk_by(|a, b| a.row == b.row).map(texts_of).collect::<Vec<_>>();
    let Some(head) = rows(second).into_iter().next() else { return false };
    table.columns == second.columns && rows(table).contains(&head)
}

fn texts_of(row: &[Cell]) -> Vec<String> {
    row.iter().map(|cell| cell.text.split_whitespace().collect()).collect()
}

/// Whether the second table begins with the header of the first one.
fn has_same_head(first: &Table, second: &Table) -> bool {
    let texts = |table: &Table, rows: usize| -> Vec<String> {
        let cells = table.cells.iter().filter(|cell| cell.row < rows);
        cells.map(|cell| cell.text.split_whitespace().collect()).collect()
    };
    let rows = first.heads.max(1).min(second.rows);
    let head = if first.head_above.is_empty() {
        texts(first, rows)
    } else {
        first.head_above.iter().map(|cell| cell.text.split_whitespace().collect()).collect()
    };
    head == texts(second, rows)
}

/// Whether two tables have the same columns at the same places.
fn are_columns_alike(first: &Table, second: &Table) -> bool {
    let edges = |table: &Table| -> Vec<Option<(f32, f32)>> {
        (0..table.columns).map(|column| edges(table, column)).collect()
    };
    if first.columns != second.columns || first.columns < 2 || first.evidence != second.evidence {
        return false;
    }
    let (one, other) = (edges(first), edges(second));
    let agree = one.iter().zip(&other).filter(|pair| {
        let (Some(a), Some(b)) = pair else { return false };
        let is_near = |a: f32, b: f32| (a - b).abs() <= SLACK;
        is_near(a.0, b.0) || is_near(a.1, b.1) || is_near(f32::midpoint(a.0, a.1), f32::midpoint(b.0, b.1))
    });
    let both = one.iter().zip(&other).filter(|(a, b)| a.is_some() && b.is_some()).count();
    both * 2 > first.columns && agree.count() == both
}

/// The left and right end of a column.
fn edges(table: &Table, column: usize) -> Option<(f32, f32)> {
    let places = table
        .cells
        .iter()
        .filter(|cell| cell.column == column && cell.columns == 1 && cell.place.width() > 0.0)
        .map(|cell| cell.place);
    places.reduce(|all, place| all.around(&place)).map(|place| (place.left, place.right))
}
