//! What an engine is, and how one is asked without being trusted.

use super::{hayro, pdf_extract};
use crate::input::Input;
use dossier_extract::PdfEngine;
use dossier_extract::protocol::Failure;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A reader of one open file.
pub(super) trait Engine {
    fn page_count(&self) -> usize;
    /// The text of a page, from 0; an empty reading when the page cannot be read.
    fn page(&mut self, index: usize) -> Reading;
}

/// One engine's text of one page.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) text: String,
    /// Whether the page shows glyphs, `None` where the engine cannot tell.
    pub(super) has_glyphs: Option<bool>,
    /// Whether a budget ended the page before its end.
    pub(super) is_cut_off: bool,
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
