//! What an engine is, and how one is asked without being trusted.

use crate::pdf::content::draw_outcome::DrawOutcome;
use dossier_extract::Metadata;
use dossier_extract::protocol::Failure;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A reader of one open file.
pub(in crate::pdf) trait Engine {
    fn page_count(&self) -> usize;
    /// The text of a page, from 0; an empty reading when the page cannot be read.
    fn page(&mut self, index: usize) -> Reading;
    /// What the file says of itself, as far as this engine reads that.
    fn metadata(&self) -> Metadata {
        Metadata::default()
    }
}

/// One engine's text of one page.
#[derive(Debug, Default)]
pub(in crate::pdf) struct Reading {
    pub(in crate::pdf) text: String,
    /// What the page shows, where the engine can tell.
    pub(in crate::pdf) seen: Option<Seen>,
}

/// What a page shows, told from what it draws and not from the text.
#[derive(Debug, Clone, Copy)]
pub(in crate::pdf) struct Seen {
    /// Whether there are glyphs, known or not.
    pub(in crate::pdf) glyphs: bool,
    /// The share of the page that pictures cover.
    pub(in crate::pdf) images: f32,
    /// Whether this is all of the page.
    pub(in crate::pdf) end: DrawOutcome,
}

/// Runs library code that may panic.
pub(in crate::pdf) fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

pub(in crate::pdf) fn malformed(reason: &str) -> Failure {
    Failure::Malformed { reason: reason.to_owned() }
}
