//! Word documents: the parts that hold text, in reading order.
//!
//! The first page starts with the headers; then comes the body; footnotes, endnotes, comments and footers
//! end the last page. A document is one page unless it says where pages end: an explicit page break, or
//! the mark that Word leaves where a page ended when it last laid the document out.
//!
//! Invariant: no recursion over the document's nesting; one inflate budget for all parts.

mod body;

use crate::pagination::Cut;
use crate::reply::Pages;
use crate::zip_parts::{Parts, Relationship};
use dossier_extract::Limits;
use dossier_extract::protocol::Failure;
use std::io::Write;

/// Parts whose text stands before and after the body, by their relationship's type.
const BEFORE: &[&str] = &["header"];
const AFTER: &[&str] = &["footnotes", "endnotes", "comments", "footer"];

/// Sends a document's pages.
pub(crate) fn read<W: Write>(bytes: &[u8], limits: &Limits, pages: &mut Pages<W>) -> Result<(), Failure> {
    let mut parts = Parts::open(bytes, limits)?;
    let document = parts.main_part("word/document.xml")?;
    let relationships = parts.relationships(&document)?;
    let xml = parts.read(&document)?.ok_or_else(|| malformed("it has no document part"))?;
    let mut sheets = body::pages(&xml)?;
    drop(xml);
    let headers = notes(&mut parts, &relationships, BEFORE)?;
    let rest = notes(&mut parts, &relationships, AFTER)?;
    if let Some(first) = sheets.first_mut() {
        first.insert_str(0, &headers);
    }
    if let Some(last) = sheets.last_mut() {
        last.push_str(&rest);
    }
    if parts.is_broken() && sheets.iter().all(|sheet| sheet.trim().is_empty()) {
        return Err(malformed("its text cannot be unpacked"));
    }
    match sheets.as_slice() {
        // Nothing says where its pages end.
        [whole] => pages.push_long("docx", whole, Cut::BetweenWords),
        sheets => sheets.iter().try_for_each(|sheet| pages.push("docx", sheet)),
    }
}

/// The text of all parts of those kinds; sections that share their words say them once.
fn notes(parts: &mut Parts<'_>, relationships: &[Relationship], kinds: &[&str]) -> Result<String, Failure> {
    let mut said: Vec<String> = Vec::new();
    for kind in kinds {
        for to in relationships.iter().filter(|to| to.kind == *kind) {
            let Some(xml) = parts.read(&to.target)? else { continue };
            // A broken side part does not cost the body.
            let Ok(sheets) = body::pages(&xml) else { continue };
            let text = sheets.concat();
            if !text.trim().is_empty() && !said.contains(&text) {
                said.push(text);
            }
        }
    }
    Ok(said.concat())
}

fn malformed(reason: &str) -> Failure {
    Failure::Malformed { reason: reason.to_owned() }
}
