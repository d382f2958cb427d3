//! The interface of PDF engines, and how to call one without trusting it.

use crate::pdf::content::draw_outcome::DrawOutcome;
use crate::pdf::content::notes::Note;
use crate::pdf::structure::Layout;
use crate::sandbox::Crew;
use dossier_extract::Metadata;
use dossier_extract::protocol::Failure;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An engine with one open file.
pub(in crate::pdf) trait Engine {
    fn page_count(&self) -> usize;
    /// The text of a page (from 0); an empty reading if the page cannot be read.
    fn page(&mut self, index: usize) -> Reading;
    /// Announces that every page will be read, in order, so that the crew may read pages ahead.
    fn read_ahead(&mut self, _: &Crew) {}
    /// The file's metadata, if this engine reads it.
    fn metadata(&self) -> Metadata {
        Metadata::default()
    }
}

/// One engine's text of one page.
#[derive(Debug, Default)]
pub(in crate::pdf) struct Reading {
    pub(in crate::pdf) text: String,
    /// Comments on the page, which follow its text.
    pub(in crate::pdf) notes: Vec<Note>,
    /// What the page shows, if the engine can tell.
    pub(in crate::pdf) seen: Option<Seen>,
    /// The layout of the page, if Markdown is requested and the engine provides it.
    pub(in crate::pdf) layout: Option<Layout>,
}

/// What a page shows, determined from its drawing operations and not from the text.
#[derive(Debug, Clone, Copy)]
pub(in crate::pdf) struct Seen {
    /// Whether there are glyphs, decoded or not.
    pub(in crate::pdf) glyphs: bool,
    /// The share of the page that images cover.
    pub(in crate::pdf) images: f32,
    /// Number of letters that are not just stamped on the page.
    pub(in crate::pdf) letters: usize,
    /// Number of shapes that are arranged like letters in words.
    pub(in crate::pdf) outlines: usize,
    /// Whether the whole page was drawn.
    pub(in crate::pdf) end: DrawOutcome,
}

/// Runs library code that may panic.
pub(in crate::pdf) fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

pub(in crate::pdf) fn malformed(reason: &str) -> Failure {
    Failure::Malformed { reason: reason.to_owned() }
}
