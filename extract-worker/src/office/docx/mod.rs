//! Word documents: the parts that contain text, in reading order.
//!
//! A page begins with its headers and ends with its notes, comments and footers. Each header and footer is
//! written once. A page ends at an explicit page break, or at the mark that Word leaves where a page ended
//! in its last layout. A document without such breaks is split by length.
//!
//! Invariant: no recursion over nested elements; one decompression budget for all parts.

mod body;
mod chunk;
mod field;
mod notes;
mod numbering;
mod page_breaks;
mod pages;
mod paragraph;
mod relationships;
mod section;
mod styles;

use crate::office::package::Parts;
use crate::office::properties;
use crate::office::xml::{Node, Xml};
use crate::output::markup::Heading;
use crate::output::numerals::Numeral;
use crate::output::reply::Pages;
use body::{Document, Story};
use dossier_extract::protocol::Failure;
use dossier_extract::{Limits, TextFormat};
use notes::Notes;
use numbering::Numbering;
use page_breaks::{Counter, PageBreaks, Span};
use pages::Beside;
use relationships::Relationships;
use std::collections::HashMap;
use std::io::Write;
use styles::Styles;

/// Sends a document's pages.
pub(crate) fn read<W: Write>(
    bytes: &[u8],
    format: TextFormat,
    limits: &Limits,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let mut parts = Parts::open(bytes, limits)?;
    let (texts, headings) = bound(&mut parts, format)?;
    pages.caveat = parts.take_damage().reason();
    pages.metadata = properties::read(&mut parts)?;
    match texts.as_slice() {
        // There are no page breaks.
        [whole] => pages.push_headed("docx", whole, headings),
        texts => {
            pages.metadata.outline = headings.into_iter().map(|heading| heading.entry).collect();
            texts.iter().try_for_each(|text| pages.push("docx", text))
        }
    }
}

/// The pages of a document with everything that belongs to them, and the headings on them.
fn bound(parts: &mut Parts<'_>, format: TextFormat) -> Result<(Vec<String>, Vec<Heading>), Failure> {
    let main = parts.main_part("word/document.xml")?;
    let xml = parts.read(&main)?.ok_or_else(|| malformed("the document part is missing"))?;
    let relationships = Relationships::read(parts, &main, format)?;
    let mut document = Document {
        format,
        styles: side_part(parts, &relationships, "styles")?.map(|xml| Styles::new(&xml)).unwrap_or_default(),
        numbering: side_part(parts, &relationships, "numbering")?
            .map(|xml| Numbering::new(&xml))
            .unwrap_or_default(),
    };
    let settings = side_part(parts, &relationships, "settings")?.unwrap_or_default();
    let mut story = Story::new(&mut document, &relationships, Some(no_pages_yet(&settings)));
    let mut body = Xml::new(&xml);
    story.read(&mut body);
    let mut headings = story.markup.take_headings();
    let (stretches, mut sections) = story.finish_pages();
    if body.is_broken() && stretches.iter().all(|stretch| stretch.text.trim().is_empty()) {
        return Err(malformed("its XML is malformed"));
    }
    drop(xml);
    // A truncated document has lost the section that names its headers and footers.
    if sections.is_empty() {
        sections.push(Span { section: relationships.margins(), first: 0, last: 0 });
    }

    let beside = Beside {
        footnotes: read_notes(parts, &relationships, "footnotes", &mut document)?,
        endnotes: read_notes(parts, &relationships, "endnotes", &mut document)?,
        comments: read_notes(parts, &relationships, "comments", &mut document)?,
        margins: read_margins(parts, &relationships, &sections, &mut document)?,
    };
    let texts = pages::bind(stretches, &sections, beside, format, &mut headings);
    if parts.is_broken() && texts.iter().all(|text| text.trim().is_empty()) {
        return Err(malformed("its text cannot be decompressed"));
    }
    Ok((texts, headings))
}

fn side_part(
    parts: &mut Parts<'_>,
    relationships: &Relationships,
    kind: &str,
) -> Result<Option<String>, Failure> {
    relationships.part_of_kind(kind).map_or(Ok(None), |part| parts.read_named(part))
}

fn read_notes(
    parts: &mut Parts<'_>,
    relationships: &Relationships,
    kind: &str,
    document: &mut Document,
) -> Result<Notes, Failure> {
    let Some(part) = relationships.part_of_kind(kind) else { return Ok(Notes::default()) };
    let Some(xml) = parts.read_named(part)? else { return Ok(Notes::default()) };
    let relationships = Relationships::read(parts, part, document.format)?;
    Ok(Notes::read(&xml, document, &relationships))
}

/// The text of all headers and footers that sections name, by relationship id.
fn read_margins(
    parts: &mut Parts<'_>,
    relationships: &Relationships,
    sections: &[Span],
    document: &mut Document,
) -> Result<HashMap<String, String>, Failure> {
    let mut margins = HashMap::new();
    for margin in sections.iter().flat_map(|span| &span.section.margins) {
        let Some(part) = relationships.part(&margin.id) else {
            parts.miss("a header or footer");
            continue;
        };
        if margins.contains_key(&margin.id) {
            continue;
        }
        let Some(xml) = parts.read_named(part)? else { continue };
        let own = Relationships::read(parts, part, document.format)?;
        let text = Story::new(document, &own, None).read_margin(&xml);
        if !text.trim().is_empty() {
            margins.insert(margin.id.clone(), text);
        }
    }
    Ok(margins)
}

/// An empty document, with notes counted as `settings.xml` specifies.
fn no_pages_yet(xml: &str) -> PageBreaks {
    let mut footnotes = Counter { numeral: Numeral::Decimal, next: 1 };
    let mut endnotes = Counter { numeral: Numeral::LowerRoman, next: 1 };
    let mut xml = Xml::new(xml);
    while let Some(node) = xml.next() {
        let Node::Start(element) = node else { continue };
        let counter = match element.name() {
            "footnotePr" => &mut footnotes,
            "endnotePr" => &mut endnotes,
            _ => continue,
        };
        xml.children(|_, child| match child.name() {
            "numFmt" => counter.numeral = numbering::numeral(child),
            "numStart" => counter.next = child.number("val").unwrap_or(1),
            _ => {}
        });
    }
    PageBreaks::new(footnotes, endnotes)
}

fn malformed(reason: &str) -> Failure {
    Failure::Malformed { reason: reason.to_owned() }
}
