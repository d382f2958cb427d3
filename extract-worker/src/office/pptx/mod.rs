//! Presentations: a slide a page, in the order in which they are shown, hidden slides too.
//!
//! A page is the slide's title, its other shapes as the file has them, its diagrams and charts, the
//! speaker's notes and comments. What only prompts for text (layouts, masters) is left out.
//!
//! Invariant: no recursion over the file's nesting; one inflate budget for all parts.

mod slide;

use crate::office::drawingml::{self, Chart};
use crate::office::package::Parts;
use crate::office::properties;
use crate::office::relationships::Relationship;
use crate::office::xml::{Node, Xml};
use crate::output::markup::{Block, Markup};
use crate::output::reply::Pages;
use dossier_extract::protocol::Failure;
use dossier_extract::{Limits, TextFormat};
use std::collections::{HashMap, HashSet};
use std::io::Write;

/// Sends a presentation's slides.
pub(crate) fn read<W: Write>(
    bytes: &[u8],
    format: TextFormat,
    limits: &Limits,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let mut parts = Parts::open(bytes, limits)?;
    pages.metadata = properties::read(&mut parts)?;
    let main = parts.main_part("ppt/presentation.xml")?;
    let xml = parts.read(&main)?.ok_or_else(|| malformed("it has no presentation part"))?;
    let related = parts.relationships(&main)?;
    let mut markup = Markup::new(format);
    let mut is_blank = true;
    // A part is read once, however often it is listed: a hundred thousand times is no presentation.
    let mut read = HashSet::new();
    for part in slides(&xml, &related) {
        if let Some(part) = part
            && read.insert(part)
        {
            write(&mut parts, part, &mut markup)?;
        }
        is_blank &= markup.is_blank();
        pages.push("pptx", &markup.take_page())?;
    }
    pages.metadata.outline = markup.take_outline();
    if is_blank && parts.is_broken() { Err(malformed("its text cannot be unpacked")) } else { Ok(()) }
}

/// The slides' parts as the presentation lists them; a slide whose part nobody names is an empty page.
fn slides<'r>(xml: &str, related: &'r [Relationship]) -> Vec<Option<&'r str>> {
    let by_id: HashMap<&str, &str> = related.iter().map(|to| (&*to.id, &*to.target)).collect();
    let mut reader = Xml::new(xml);
    let mut slides = Vec::new();
    while let Some(node) = reader.next() {
        if let Node::Start(element) = node
            && element.is("p", "sldId")
        {
            let id = element.foreign_attribute("id").unwrap_or_default();
            slides.push(by_id.get(&*id).copied());
        }
    }
    if slides.iter().all(Option::is_none) {
        // A list that is lost: the slides are still there.
        slides = related.iter().filter(|to| to.kind == "slide").map(|to| Some(&*to.target)).collect();
    }
    slides
}

fn write(parts: &mut Parts<'_>, part: &str, markup: &mut Markup) -> Result<(), Failure> {
    let Some(xml) = parts.read(part)? else { return Ok(()) };
    slide::write(&xml, markup);
    drop(xml);
    let related = parts.relationships(part)?;
    let of = |kind: &'static str| related.iter().filter(move |to| to.kind == kind);
    for diagram in of("diagramData") {
        if let Some(xml) = parts.read(&diagram.target)? {
            drawingml::write(&xml, markup);
        }
    }
    for chart in of("chart") {
        if let Some(xml) = parts.read(&chart.target)? {
            drawingml::write_chart(&xml, Chart::Whole, markup);
        }
    }
    for notes in of("notesSlide") {
        if let Some(xml) = parts.read(&notes.target)? {
            markup.end_paragraph(&Block::Plain);
            slide::write_notes(&xml, markup);
        }
    }
    for comments in of("comments") {
        if let Some(xml) = parts.read(&comments.target)? {
            slide::write_comments(&xml, markup);
        }
    }
    Ok(())
}

fn malformed(reason: &str) -> Failure {
    Failure::Malformed { reason: reason.to_owned() }
}
