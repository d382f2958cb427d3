//! One sheet: its cells and its comments.

use super::Workbook;
use super::numbers;
use super::strings::rich;
use crate::office::grid::Grid;
use crate::office::xml::{Element, Node, Xml};
use crate::output::markup::{Block, Markup};
use dossier_extract::protocol::Failure;

/// A cell being read.
#[derive(Debug, Default)]
struct Cell {
    column: u32,
    style: usize,
    kind: Kind,
    value: String,
    formula: String,
}

/// The type of a cell value.
#[derive(Debug, Default)]
enum Kind {
    #[default]
    Number,
    /// The index of a shared string.
    Shared,
    Boolean,
    /// Shown as it is: the text result of a formula, an error, an ISO date.
    Text,
}

/// The cells of a sheet.
pub(super) fn cells(xml: &str, workbook: &Workbook, limit: u64) -> Result<Grid, Failure> {
    let mut grid = Grid::new(limit);
    let mut cell = Cell::default();
    let mut next_column = 0;
    let mut reader = Xml::new(xml);
    while let Some(node) = reader.next() {
        match node {
            Node::Start(element) if element.space == "x" => match element.name() {
                "row" => next_column = 0,
                "c" => {
                    cell = Cell::new(&element, next_column);
                    next_column = cell.column.saturating_add(1);
                }
                "v" => cell.value = reader.text(),
                "is" => cell.value = rich(&mut reader, "is"),
                "f" => cell.formula = reader.text(),
                "extLst" => drop(reader.skip()),
                _ => {}
            },
            Node::End(end) if end.is("x", "c") => {
                let cell = std::mem::take(&mut cell);
                cell.add_to(&mut grid, workbook)?;
            }
            Node::End(end) if end.is("x", "row") => grid.end_row(1)?,
            Node::Start(_) | Node::End(_) | Node::Text(_) => {}
        }
    }
    Ok(grid)
}

impl Cell {
    fn new(element: &Element<'_>, next_column: u32) -> Self {
        let kind = match element.attribute("t").as_deref() {
            Some("s") => Kind::Shared,
            Some("b") => Kind::Boolean,
            Some("str" | "inlineStr" | "e" | "d") => Kind::Text,
            _ => Kind::Number,
        };
        let column = element.attribute("r").and_then(|address| column(&address)).unwrap_or(next_column);
        Self {
            column,
            style: element.number("s").unwrap_or_default(),
            kind,
            value: String::new(),
            formula: String::new(),
        }
    }

    fn add_to(&self, grid: &mut Grid, workbook: &Workbook) -> Result<(), Failure> {
        let value = self.value.trim();
        if value.is_empty() {
            // The writer did not compute the formula. (An empty string result is declared as a string.)
            let formula = self.formula.trim();
            return match self.kind {
                Kind::Number if !formula.is_empty() => grid.cell(self.column, &format!("={formula}")),
                _ => Ok(()),
            };
        }
        match self.kind {
            Kind::Text => grid.cell(self.column, value),
            Kind::Boolean => grid.cell(self.column, if value == "0" { "FALSE" } else { "TRUE" }),
            Kind::Shared => {
                let string = value.parse().ok().and_then(|index| workbook.strings.get(index));
                grid.cell(self.column, string.unwrap_or_default())
            }
            Kind::Number => {
                let shown = workbook.styles.get(self.style);
                grid.cell(self.column, &numbers::show(value, shown, workbook.from_1904))
            }
        }
    }
}

/// The column of an address such as `BC12`, from 0.
fn column(address: &str) -> Option<u32> {
    let letters = address.bytes().take_while(u8::is_ascii_alphabetic);
    let from_1 = letters
        .take(4)
        .fold(0, |column, letter| column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1);
    from_1.checked_sub(1)
}

/// Writes comments, old-style or threaded, each after the address of its cell.
pub(super) fn write_comments(xml: &str, markup: &mut Markup) {
    let mut reader = Xml::new(xml);
    while let Some(node) = reader.next() {
        let Node::Start(element) = node else { continue };
        match (element.space, element.name()) {
            ("x", "comment") | ("xtc", "threadedComment") => {
                markup.text(&element.attribute("ref").unwrap_or_default());
                markup.text(": ");
            }
            ("x" | "xtc", "text") => {
                let text = if element.space == "x" { rich(&mut reader, "text") } else { reader.text() };
                markup.text(text.trim());
                markup.end_paragraph(&Block::Plain);
            }
            _ => {}
        }
    }
}
