//! Runs one extraction from a backend: a slot, a worker, and an ear for cancel.
//!
//! Invariant: no byte of a file is parsed in this process; the worker does it.
//! Invariant: when the backend is told to stop (cancel, `statement_timeout`, termination), the worker
//! is dead before the backend answers.

use crate::{errors, settings, slots::Slot};
use dossier_extract::{ExtractError, Extraction, Request, Source, Thumbnail, ThumbnailRequest, Tick};
use pgrx::{check_for_interrupts, pg_sys};

/// The text of `source`, or why there is none. Never returns when the backend is told to stop.
pub(crate) fn extract(source: &Source, request: Request) -> Result<Extraction, ExtractError> {
    let request = Request { pdf_engine: Some(settings::pdf_engine()), ..request };
    interruptible(|| settings::extractor().extract(source, &request, tick))
}

/// A small picture of the first page.
pub(crate) fn thumbnail(source: &Source, media_type: &str) -> Result<Thumbnail, ExtractError> {
    let request = ThumbnailRequest { media_type: Some(media_type.to_owned()), ..ThumbnailRequest::default() };
    interruptible(|| settings::extractor().thumbnail(source, &request, tick))
}

/// What the bytes are.
pub(crate) fn detect(source: &Source) -> Result<String, ExtractError> {
    interruptible(|| settings::extractor().detect(source, tick))
}

/// A source of `bytes`; raises an SQL error where the machine cannot hold one.
pub(crate) fn source(bytes: &[u8]) -> Source {
    Source::from_bytes(bytes).unwrap_or_else(|error| errors::raise_no_source(&error))
}

fn interruptible<T>(work: impl FnOnce() -> Result<T, ExtractError>) -> Result<T, ExtractError> {
    let slot = Slot::take(settings::max_concurrent());
    let result = work();
    drop(slot);
    // The worker is gone by now, so raising the pending cancel leaves nothing behind.
    check_for_interrupts!();
    result
}

/// Asked by the client between its waits, and at once when a signal arrives.
fn tick() -> Tick {
    // SAFETY: reads a flag that signal handlers set; volatile because they may do so at any moment.
    match unsafe { (&raw const pg_sys::InterruptPending).read_volatile() } {
        0 => Tick::Continue,
        _ => stop_or_continue(),
    }
}

/// Not every interrupt ends the query (a barrier or a catalogue message does not); only those that do
/// may kill the worker.
fn stop_or_continue() -> Tick {
    // SAFETY: as in `tick`.
    let ends_query = unsafe {
        (&raw const pg_sys::QueryCancelPending).read_volatile() != 0
            || (&raw const pg_sys::ProcDiePending).read_volatile() != 0
    };
    if ends_query {
        Tick::Stop
    } else {
        check_for_interrupts!();
        Tick::Continue
    }
}
