//! PDF text, page by page, each from the engine that reads it best, and the file's metadata.
//!
//! Invariant: pages keep their numbers. A page that no engine can read is sent empty, and its reason says so.

mod content;
mod engines;
mod fonts;
pub(crate) mod header;
mod info;
mod layout;
mod plausible;
mod render;
mod structure;
mod unicode;

use crate::input::Input;
use crate::output::reply::{Pages, clean};
use crate::sandbox::Crew;
use content::notes::Note;
use dossier_extract::protocol::Failure;
use dossier_extract::{Limits, PdfEngine, TextFormat};
use engines::choice::{Engines, Routed};
use engines::engine::contained;
pub(crate) use render::{POINTS_PER_INCH, Renderer};
use std::io::Write;
use std::sync::Arc;
use structure::{Document, Layout};

/// For their structure, pages are held back to decide on headings and running heads together: at most this many pages, and this
/// many lines.
const MOST_HELD: usize = 200;
const MOST_LINES: usize = 100_000;

/// What is written about each page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) format: TextFormat,
    /// Whether the structure is reported beside plain text.
    pub(crate) has_structure: bool,
}

impl Written {
    fn needs_layout(self) -> bool {
        self.has_structure || self.format == TextFormat::Markdown
    }
}

/// Sends a PDF's pages.
pub(crate) fn read<W: Write>(
    input: Input,
    first: Option<PdfEngine>,
    written: Written,
    limits: &Limits,
    crew: &Crew,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let base = header::base(&input);
    let mut engines = Engines::new(Arc::new(input.without(base)), first, written.needs_layout());
    let count = engines.page_count()?;
    if count > limits.pages as usize {
        return Err(Failure::LimitExceeded { limit: "pages".to_owned() });
    }
    pages.metadata = engines.metadata();
    engines.read_ahead(crew);
    let (mut has_text, mut is_endless) = (false, false);
    let mut document = Document::new(&pages.metadata.outline);
    let mut held: Vec<Routed> = Vec::new();
    for index in 0..count {
        held.push(engines.read(index));
        let lines: usize = held.iter().filter_map(|page| page.layout.as_ref()).map(Layout::lines).sum();
        let is_waiting = written.needs_layout() && held.len() < MOST_HELD && lines < MOST_LINES;
        if is_waiting && index + 1 < count {
            continue;
        }
        write_markdown(&mut document, &mut held, written.format);
        for page in held.drain(..) {
            has_text |= page.quality.is_some();
            is_endless |= page.is_endless;
            let Routed { engine, quality, reason, structure, notes, text, needs_ocr, .. } = page;
            let text = with_notes(text, &notes, written.format);
            pages.push_structured(engine.name(), &text, quality, Some(reason), structure)?;
            if needs_ocr {
                pages.last_needs_ocr();
            }
        }
    }
    // An empty page has no text. A page that draws itself endlessly has no text that can be read.
    if is_endless && !has_text {
        return Err(Failure::LimitExceeded { limit: "drawing".to_owned() });
    }
    Ok(())
}

/// Writes the Markdown of pages whose layout is known: as their text, or as a part of their structure.
fn write_markdown(document: &mut Document, pages: &mut [Routed], format: TextFormat) {
    let layouts = pages.iter_mut().map(|page| page.layout.take()).collect();
    let written = contained(|| document.markdown(layouts)).unwrap_or_default();
    for (page, written) in pages.iter_mut().zip(written) {
        if let Some((markdown, mut structure)) = written {
            if format == TextFormat::Markdown {
                page.text = markdown;
            } else if !page.text.is_empty() {
                let markdown = with_notes(markdown, &page.notes, TextFormat::Markdown);
                structure.markdown = Some(clean(&markdown).into_owned());
            }
            page.structure = Some(structure);
        }
    }
}

/// A page's text followed by the notes, written like the comments of other formats: plain text has only the
/// document's own words, Markdown also the author.
fn with_notes(mut text: String, notes: &[Note], format: TextFormat) -> String {
    if notes.is_empty() {
        return text;
    }
    text.truncate(text.trim_end().len());
    text.push_str(if text.is_empty() { "" } else { "\n\n" });
    for Note { author, text: said } in notes {
        let author = author.as_ref().filter(|_| format == TextFormat::Markdown);
        let author = author.map_or_else(String::new, |author| format!("{author}: "));
        text.extend(["[", &author, said, "]\n"]);
    }
    text
}
