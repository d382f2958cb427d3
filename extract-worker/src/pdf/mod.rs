//! PDF text, page by page, from the engine that reads the page best, and what the file says of itself.
//!
//! Invariant: page numbers are the file's own; a page that nobody can read is sent empty, and its reason
//! says so.

mod accents;
mod annotations;
mod bidi;
mod by_code;
mod characters;
mod columns;
mod composite;
mod end;
mod engine;
mod fonts;
mod forms;
mod frame;
mod glyphs;
mod guesses;
mod hayro;
mod info;
mod lines;
mod order;
mod pdf_extract;
mod pictures;
mod placed;
mod quality;
mod render;
mod route;
mod spacing;
mod unicode;
mod words;

use crate::input::Input;
use crate::reply::Pages;
use dossier_extract::protocol::Failure;
use dossier_extract::{Limits, PdfEngine};
pub(crate) use render::{POINTS_PER_INCH, Renderer};
use route::Engines;
use std::io::Write;
use std::sync::Arc;

/// Sends a PDF's pages.
pub(crate) fn read<W: Write>(
    input: Input,
    first: Option<PdfEngine>,
    limits: &Limits,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let mut engines = Engines::new(Arc::new(input), first);
    let count = engines.page_count()?;
    if count > limits.pages as usize {
        return Err(Failure::LimitExceeded { limit: "pages".to_owned() });
    }
    pages.metadata = engines.metadata();
    let (mut has_text, mut is_endless) = (false, false);
    for index in 0..count {
        let page = engines.read(index);
        has_text |= page.quality.is_some();
        is_endless |= page.is_endless;
        pages.push_with(page.engine.name(), &page.text, page.quality, Some(page.reason))?;
        if page.needs_ocr {
            pages.last_needs_ocr();
        }
    }
    // An empty page has no text; one that draws itself for ever has none that can be had.
    if is_endless && !has_text {
        return Err(Failure::LimitExceeded { limit: "drawing".to_owned() });
    }
    Ok(())
}
