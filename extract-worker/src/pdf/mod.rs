//! PDF text, page by page, each from the engine that reads it best, and the file's metadata.
//!
//! Invariant: pages keep their numbers. A page that no engine can read is sent empty, and its reason says so.

mod content;
mod engines;
mod fonts;
mod info;
mod layout;
mod render;
mod unicode;

use crate::input::Input;
use crate::output::reply::Pages;
use dossier_extract::protocol::Failure;
use dossier_extract::{Limits, PdfEngine};
use engines::choice::Engines;
pub(crate) use render::{POINTS_PER_INCH, Renderer};
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
    // An empty page simply has no text. If a page draws itself endlessly, its text cannot be extracted.
    if is_endless && !has_text {
        return Err(Failure::LimitExceeded { limit: "drawing".to_owned() });
    }
    Ok(())
}
