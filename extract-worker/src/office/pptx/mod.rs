//! Presentations: one page per slide in presentation order, including hidden slides.
//!
//! A page contains the slide's title, its other shapes in reading order, diagrams and charts, the speaker notes
//! and comments. Prompt text from layouts and masters is omitted.
//!
//! Invariant: no recursion over nested elements; one decompression budget for all parts.

mod place;
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
use place::Layout;
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
    drop(parts.take_damage());
    let main = parts.main_part("ppt/presentation.xml")?;
    let xml = parts.read(&main)?.ok_or_else(|| malformed("the presentation part is missing"))?;
    let related = parts.relationships(&main)?;
    let mut markup = Markup::new(format);
    let mut is_blank = true;
    let damage = parts.take_damage();
    // Each part is read once, however often it is listed; a hostile file may list it 100,000 times.
    let mut read = HashSet::new();
    let mut layouts = Layouts::default();
    for part in slides(&xml, &related) {
        match part {
            Some(part) if read.insert(part) => write(&mut parts, part, &mut layouts, &mut markup)?,
            Some(_) => {}
            None => parts.miss("a slide"),
        }
        pages.caveat = damage.and(&parts.take_damage()).reason();
        is_blank &= markup.is_blank();
        pages.push("pptx", &markup.take_page())?;
    }
    pages.metadata.outline = markup.take_outline();
    if is_blank && parts.is_broken() { Err(malformed("its text cannot be decompressed")) } else { Ok(()) }
}

/// The parts of the slides in the order of the presentation. A slide without a part is an empty page.
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
        // The list is missing, but the slides exist.
        slides = related.iter().filter(|to| to.kind == "slide").map(|to| Some(&*to.target)).collect();
    }
    slides
}

/// The layouts read so far, by part name.
type Layouts = HashMap<String, Layout>;

/// The layout of a slide, including what it inherits from its master.
fn layout<'l>(
    parts: &mut Parts<'_>,
    related: &[Relationship],
    layouts: &'l mut Layouts,
) -> Result<&'l Layout, Failure> {
    let part = related.iter().find(|to| to.kind == "slideLayout").map_or("", |to| to.target.as_str());
    if !layouts.contains_key(part) {
        let mut layout = Layout::read(&parts.read(part)?.unwrap_or_default());
        for master in parts.relationships(part)?.iter().filter(|to| to.kind == "slideMaster") {
            layout.inherit(&Layout::read(&parts.read(&master.target)?.unwrap_or_default()));
        }
        layouts.insert(part.to_owned(), layout);
    }
    Ok(&layouts[part])
}

fn write(
    parts: &mut Parts<'_>,
    part: &str,
    layouts: &mut Layouts,
    markup: &mut Markup,
) -> Result<(), Failure> {
    let Some(xml) = parts.read_named(part)? else { return Ok(()) };
    let related = parts.relationships(part)?;
    slide::write(&xml, layout(parts, &related, layouts)?, markup);
    drop(xml);
    let of = |kind: &'static str| related.iter().filter(move |to| to.kind == kind);
    for diagram in of("diagramData") {
        if let Some(xml) = parts.read_named(&diagram.target)? {
            drawingml::write(&xml, markup);
        }
    }
    for chart in of("chart") {
        if let Some(xml) = parts.read_named(&chart.target)? {
            drawingml::write_chart(&xml, Chart::Whole, markup);
        }
    }
    for notes in of("notesSlide") {
        if let Some(xml) = parts.read_named(&notes.target)? {
            markup.end_paragraph(&Block::Plain);
            slide::write_notes(&xml, markup);
        }
    }
    for comments in of("comments") {
        if let Some(xml) = parts.read_named(&comments.target)? {
            slide::write_comments(&xml, markup);
        }
    }
    Ok(())
}

fn malformed(reason: &str) -> Failure {
    Failure::Malformed { reason: reason.to_owned() }
}
