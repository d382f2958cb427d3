//! Runs one extraction from a backend: takes a slot, starts a worker, and stops it on cancel.
//!
//! Invariant: this process parses no byte of a file. The worker does.
//! Invariant: if the backend is interrupted (cancel, `statement_timeout`, termination), the worker is dead before the
//! backend responds.

use crate::{errors, settings, slots::Slot};
use dossier_extract::{ExtractError, Extraction, Request, Source, Thumbnail, ThumbnailRequest, Tick};
use pgrx::{check_for_interrupts, pg_sys};

/// Returns the text of `source`, or the reason why extraction failed. Does not return if the backend is interrupted.
pub(crate) fn extract(source: &Source, request: Request) -> Result<Extraction, ExtractError> {
    let request = Request { pdf_engine: Some(settings::pdf_engine()), ..request };
    interruptible(|| settings::extractor().extract(source, &request, tick))
}

/// Returns a thumbnail of the first page.
pub(crate) fn thumbnail(source: &Source, media_type: &str) -> Result<Thumbnail, ExtractError> {
    let request = ThumbnailRequest { media_type: Some(media_type.to_owned()), ..ThumbnailRequest::default() };
    interruptible(|| settings::extractor().thumbnail(source, &request, tick))
}

/// Returns the media type of the bytes.
pub(crate) fn detect(source: &Source) -> Result<String, ExtractError> {
    interruptible(|| settings::extractor().detect(source, tick))
}

/// Returns a source of `bytes`. Raises an SQL error if the host cannot buffer them.
pub(crate) fn source(bytes: &[u8]) -> Source {
    Source::from_bytes(bytes).unwrap_or_else(|error| errors::raise_no_source(&error))
}

fn interruptible<T>(work: impl FnOnce() -> Result<T, ExtractError>) -> Result<T, ExtractError> {
    let slot = Slot::take(settings::max_concurrent());
    let result = work();
    drop(slot);
    // The worker has exited, so raising the pending cancel leaks nothing.
    check_for_interrupts!();
    result
}

/// The client calls this between its waits, and at once when a signal arrives.
fn tick() -> Tick {
    // SAFETY: reads a flag that signal handlers set. Volatile, because they may set it at any moment.
    match unsafe { (&raw const pg_sys::InterruptPending).read_volatile() } {
        0 => Tick::Continue,
        _ => stop_or_continue(),
    }
}

/// Not every interrupt ends the query: a barrier or a catalogue message does not. Only those that end it may kill the
/// worker.
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
