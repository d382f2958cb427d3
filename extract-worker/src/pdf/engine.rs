//! What an engine is, and how one is asked without being trusted.

use super::end::End;
use super::{hayro, pdf_extract};
use crate::input::Input;
use dossier_extract::protocol::Failure;
use dossier_extract::{Metadata, PdfEngine};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A reader of one open file.
pub(super) trait Engine {
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
pub(super) struct Reading {
    pub(super) text: String,
    /// What the page shows, where the engine can tell.
    pub(super) seen: Option<Seen>,
}

/// What a page shows, told from what it draws and not from the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Whether there are glyphs, known or not.
    pub(super) glyphs: bool,
    /// The share of the page that pictures cover.
    pub(super) pictures: f32,
    /// Whether this is all of the page.
    pub(super) end: End,
}

/// Opens the file with that engine.
pub(super) fn open(name: PdfEngine, input: &Arc<Input>) -> Result<Box<dyn Engine>, Failure> {
    match name {
        PdfEngine::Hayro => hayro::open(input),
        PdfEngine::PdfExtract => pdf_extract::open(input),
    }
}

/// Runs library code that may panic.
pub(super) fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

pub(super) fn malformed(reason: &str) -> Failure {
    Failure::Malformed { reason: reason.to_owned() }
}
