//! Spreadsheets: one page per sheet, cells as displayed.

use super::{Kind, malformed};
use crate::office::grid::Grid;
use crate::office::xml::{Element, Node, Xml};
use crate::output::markup::{Block, Markup};
use crate::output::reply::Pages;
use dossier_extract::protocol::Failure;
use dossier_extract::{Limits, TextFormat};
use std::io::Write;

/// The maximum number of rows in any spreadsheet program.
const MOST_ROWS: u64 = 1 << 20;
/// The maximum number of columns in any spreadsheet program.
const MOST_COLUMNS: u32 = 1 << 14;

/// Sends a spreadsheet's sheets.
pub(super) fn read<W: Write>(
    xml: &str,
    format: TextFormat,
    limits: &Limits,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let mut markup = Markup::new(format);
    let mut reader = Xml::new(xml);
    while let Some(node) = reader.next() {
        let Node::Start(element) = node else { continue };
        match (element.space, element.name()) {
            ("table", "table") => {
                let name = element.attribute("name").unwrap_or_default();
                Sheet::new(limits.output_bytes).read(&mut reader)?.write(&name, &mut markup);
                pages.push(Kind::Sheets.engine(), &markup.take_page())?;
                pages.metadata.page_labels.push(name);
            }
            ("table", "tracked-changes") => drop(reader.skip()),
            _ => {}
        }
    }
    pages.metadata.outline = markup.take_outline();
    if pages.metadata.page_labels.is_empty() { Err(malformed("it contains no sheets")) } else { Ok(()) }
}

/// A sheet being read.
#[derive(Debug)]
struct Sheet {
    grid: Grid,
    /// Comments and text boxes.
    asides: Vec<String>,
    column: u32,
    row_repeats: u64,
    cell: Cell,
}

/// A cell being read.
#[derive(Debug, Default)]
struct Cell {
    is_open: bool,
    text: String,
    /// A value that is shown instead of the text, or if there is no text.
    value: Option<String>,
    fallback: Option<String>,
    repeats: u32,
}

impl Sheet {
    fn new(limit: u64) -> Self {
        Self { grid: Grid::new(limit), asides: Vec::new(), column: 0, row_repeats: 1, cell: Cell::default() }
    }

    /// Reads to the end of the table, including nested tables.
    fn read(mut self, reader: &mut Xml<'_>) -> Result<Self, Failure> {
        let outside = reader.depth().saturating_sub(1);
        while reader.depth() > outside
            && let Some(node) = reader.next()
        {
            match node {
                Node::Start(element) => self.start(&element, reader),
                Node::End(end) if end.space == "table" => match end.name() {
                    "table-cell" => self.end_cell()?,
                    "table-row" => self.grid.end_row(self.row_repeats)?,
                    _ => {}
                },
                Node::End(_) | Node::Text(_) => {}
            }
        }
        Ok(self)
    }

    fn start(&mut self, element: &Element<'_>, reader: &mut Xml<'_>) {
        match (element.space, element.name()) {
            ("table", "table-row") => {
                self.column = 0;
                self.row_repeats = element.number("number-rows-repeated").unwrap_or(1).min(MOST_ROWS);
            }
            ("table", "table-cell") => self.cell = Cell::new(element),
            ("table", "covered-table-cell") => {
                self.column = self.column.saturating_add(repeats(element));
                reader.skip();
            }
            ("office", "annotation") | ("table", "shapes") | ("draw", _) => {
                let said = paragraphs(reader);
                if !said.is_empty() {
                    self.asides.push(said);
                }
            }
            ("text", "p") if self.cell.is_open => {
                if !self.cell.text.is_empty() {
                    self.cell.text.push('\n');
                }
                let text = &mut self.cell.text;
                for annotation in paragraph(reader, text) {
                    self.asides.push(annotation);
                }
            }
            _ => {}
        }
    }

    fn end_cell(&mut self) -> Result<(), Failure> {
        let cell = std::mem::take(&mut self.cell);
        let shown = cell.value.as_deref().or(Some(cell.text.as_str()).filter(|text| !text.trim().is_empty()));
        if let Some(shown) = shown.or(cell.fallback.as_deref()) {
            for repeat in 0..cell.repeats {
                self.grid.cell(self.column.saturating_add(repeat), shown)?;
            }
        }
        self.column = self.column.saturating_add(cell.repeats);
        Ok(())
    }

    fn write(self, name: &str, markup: &mut Markup) {
        markup.text(name);
        markup.end_paragraph(&Block::Heading(1));
        self.grid.write(markup);
        for aside in &self.asides {
            markup.text(aside);
            markup.end_paragraph(&Block::Plain);
        }
    }
}

impl Cell {
    fn new(element: &Element<'_>) -> Self {
        let of = |name: &str| element.attribute(name);
        let (value, fallback) = match of("value-type").as_deref() {
            Some("date") => (of("date-value").map(|date| iso_date(&date)), None),
            Some("time") => (of("time-value").and_then(|time| clock(&time)), None),
            Some("boolean") => (of("boolean-value").map(|is| is.to_uppercase()), None),
            Some("string") => (None, of("string-value")),
            // The writer did not compute the formula.
            _ => (None, of("value").or_else(|| of("formula").map(|formula| written(&formula)))),
        };
        Self { is_open: true, text: String::new(), value, fallback, repeats: repeats(element) }
    }
}

/// `of:=SUM([.A1:.A2])` as people write it: `=SUM(A1:A2)`.
fn written(formula: &str) -> String {
    let start = formula.find('=').unwrap_or_default();
    formula[start..].replace("[.", "").replace(":.", ":").replace(']', "")
}

fn repeats(element: &Element<'_>) -> u32 {
    element.number("number-columns-repeated").unwrap_or(1).clamp(1, MOST_COLUMNS)
}

/// Reads the text of a paragraph that has just started; returns the comments in it.
fn paragraph(reader: &mut Xml<'_>, text: &mut String) -> Vec<String> {
    let mut comments = Vec::new();
    let outside = reader.depth().saturating_sub(1);
    while reader.depth() > outside
        && let Some(node) = reader.next()
    {
        match node {
            Node::Text(words) => text.push_str(&words),
            Node::Start(element) => match (element.space, element.name()) {
                ("text", "s" | "tab") => text.push(' '),
                ("text", "line-break") => text.push('\n'),
                ("office", "annotation") => comments.push(paragraphs(reader)),
                _ => {}
            },
            Node::End(_) => {}
        }
    }
    comments
}

/// All paragraphs of the element that has just started, one line each.
fn paragraphs(reader: &mut Xml<'_>) -> String {
    let mut lines = String::new();
    let outside = reader.depth().saturating_sub(1);
    while reader.depth() > outside
        && let Some(node) = reader.next()
    {
        if matches!(node, Node::Start(element) if element.is("text", "p")) {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(&reader.text());
        }
    }
    lines
}

/// `2024-05-01T09:00:00` without a time of zero.
fn iso_date(date: &str) -> String {
    let date = date.split('.').next().unwrap_or_default();
    date.strip_suffix("T00:00:00").unwrap_or(date).replace('T', " ")
}

/// `PT25H30M00S` as `25:30:00`.
fn clock(duration: &str) -> Option<String> {
    let (hours, rest) = duration.strip_prefix("PT")?.split_once('H')?;
    let (minutes, seconds) = rest.split_once('M')?;
    let seconds = seconds.trim_end_matches('S').split('.').next()?;
    let part = |part: &str| part.parse::<u32>().ok();
    Some(format!("{:02}:{:02}:{:02}", part(hours)?, part(minutes)?, part(seconds)?))
}
