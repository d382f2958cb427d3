//! Workbooks: one page per sheet, including hidden sheets.
//!
//! A page contains the sheet's name, its cells as displayed (values, not formulas; dates in ISO 8601), then
//! comments, text boxes and charts. We do not use `calamine`: it decompresses outside the budget and stores
//! sheets densely, so that two cells in opposite corners would need half a terabyte.
//!
//! Invariant: no recursion over nested elements; one decompression budget for all parts.

mod format_code;
mod numbers;
mod sheet;
mod strings;
mod styles;

use crate::office::drawingml::Chart;
use crate::office::package::Parts;
use crate::office::relationships::Relationship;
use crate::office::xml::{Node, Xml};
use crate::office::{drawingml, properties};
use crate::output::markup::{Block, Markup};
use crate::output::reply::Pages;
use dossier_extract::protocol::Failure;
use dossier_extract::{Limits, TextFormat};
use std::collections::{HashMap, HashSet};
use std::io::Write;
use strings::Strings;
use styles::Styles;

/// The tables that cells refer to.
#[derive(Debug, Default)]
struct Workbook {
    strings: Strings,
    styles: Styles,
    /// Whether dates count from 1904 instead of 1900.
    from_1904: bool,
    sheets: Vec<Sheet>,
}

/// A sheet as listed in the workbook.
#[derive(Debug)]
struct Sheet {
    name: String,
    relationship: String,
}

/// Sends a workbook's sheets.
pub(crate) fn read<W: Write>(
    bytes: &[u8],
    format: TextFormat,
    limits: &Limits,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let mut parts = Parts::open(bytes, limits)?;
    pages.metadata = properties::read(&mut parts)?;
    drop(parts.take_damage());
    let main = parts.main_part("xl/workbook.xml")?;
    let xml = parts.read(&main)?.ok_or_else(|| malformed("the workbook part is missing"))?;
    let related = parts.relationships(&main)?;
    let mut workbook = Workbook::default();
    workbook.list(&xml);
    for to in &related {
        match to.kind.as_str() {
            "sharedStrings" => {
                workbook.strings = Strings::new(&parts.read_named(&to.target)?.unwrap_or_default());
            }
            "styles" => workbook.styles = Styles::new(&parts.read_named(&to.target)?.unwrap_or_default()),
            _ => {}
        }
    }
    let damage = parts.take_damage();
    let by_id: HashMap<&str, &str> = related.iter().map(|to| (&*to.id, &*to.target)).collect();
    let mut markup = Markup::new(format);
    let mut is_blank = true;
    // Each part is read once, however often it is listed; a hostile file may list it 100,000 times.
    let mut read = HashSet::new();
    for sheet in &workbook.sheets {
        markup.text(&sheet.name);
        markup.end_paragraph(&Block::Heading(1));
        match by_id.get(sheet.relationship.as_str()) {
            Some(part) if read.insert(part) => write(&mut parts, part, &workbook, limits, &mut markup)?,
            Some(_) => {}
            None => parts.miss("a sheet"),
        }
        pages.caveat = damage.and(&parts.take_damage()).reason();
        let page = markup.take_page();
        is_blank &= page.trim_end().lines().count() <= 1;
        pages.push("xlsx", &page)?;
        pages.metadata.page_labels.push(sheet.name.clone());
    }
    pages.metadata.outline = markup.take_outline();
    if workbook.sheets.is_empty() {
        return Err(malformed("the workbook lists no sheets"));
    }
    if is_blank && parts.is_broken() {
        return Err(malformed("its cells cannot be decompressed"));
    }
    Ok(())
}

impl Workbook {
    /// Reads the workbook part.
    fn list(&mut self, xml: &str) {
        let mut reader = Xml::new(xml);
        while let Some(node) = reader.next() {
            let Node::Start(element) = node else { continue };
            if element.is("x", "sheet") {
                let name = element.attribute("name").unwrap_or_default();
                let relationship = element.foreign_attribute("id").unwrap_or_default();
                self.sheets.push(Sheet { name, relationship });
            } else if element.is("x", "workbookPr") {
                self.from_1904 = element.flag("date1904").unwrap_or_default();
            }
        }
    }
}

/// Writes the cells of a sheet, and its comments, text boxes and charts.
fn write(
    parts: &mut Parts<'_>,
    part: &str,
    workbook: &Workbook,
    limits: &Limits,
    markup: &mut Markup,
) -> Result<(), Failure> {
    let Some(xml) = parts.read_named(part)? else { return Ok(()) };
    sheet::cells(&xml, workbook, limits.output_bytes)?.write(markup);
    drop(xml);
    let related = parts.relationships(part)?;
    let of = |kind: &'static str| related.iter().filter(move |to| to.kind == kind);
    // Threaded comments are also stored as old-style comments with an upgrade notice.
    let kind = if of("threadedComment").next().is_some() { "threadedComment" } else { "comments" };
    for comments in of(kind) {
        sheet::write_comments(&parts.read_named(&comments.target)?.unwrap_or_default(), markup);
    }
    for drawn in of("drawing") {
        drawingml::write(&parts.read_named(&drawn.target)?.unwrap_or_default(), markup);
        for Relationship { kind, target, .. } in parts.relationships(&drawn.target)? {
            match kind.as_str() {
                "chart" => {
                    let xml = parts.read_named(&target)?.unwrap_or_default();
                    drawingml::write_chart(&xml, Chart::Titles, markup);
                }
                "diagramData" => drawingml::write(&parts.read_named(&target)?.unwrap_or_default(), markup),
                _ => {}
            }
        }
    }
    Ok(())
}

fn malformed(reason: &str) -> Failure {
    Failure::Malformed { reason: reason.to_owned() }
}
