//! Runs one extraction from a backend: takes a slot, starts a worker, and stops it on cancel.
//!
//! Invariant: this process parses no byte of a file. The worker does.
//! Invariant: if the backend is interrupted (cancel, `statement_timeout`, termination), the worker is dead before the
//! backend responds.

use crate::{errors, settings, slots::Slot};
use dossier_extract::{
    ExtractError, Extraction, OcrProgress, OcrTask, RecognizedPage, Request, Source, Thumbnail,
    ThumbnailRequest, Tick,
};
use pgrx::{check_for_interrupts, pg_sys};

/// Returns the text of `source`, or the reason why extraction failed. Does not return if the backend is interrupted.
pub(crate) fn extract(source: &Source, request: Request) -> Result<Extraction, ExtractError> {
    let request = Request { pdf_engine: Some(settings::pdf_engine()), ..request };
    interruptible(|| settings::extractor().extract(source, &request, tick))
}

/// Returns the text that `source` itself contains, and which pages need OCR.
pub(crate) fn extract_text(source: &Source, request: Request) -> Result<Extraction, ExtractError> {
    let request = Request { pdf_engine: Some(settings::pdf_engine()), ..request };
    interruptible(|| settings::extractor().extract_text(source, &request, tick))
}

/// Runs OCR on some pages for a slice of time, and calls `each` for every page.
pub(crate) fn recognize(
    source: &Source,
    task: OcrTask,
    each: impl FnMut(RecognizedPage) -> Tick,
) -> Result<OcrProgress, ExtractError> {
    let slot = Slot::take_for_ocr(settings::max_concurrent());
    in_slot(slot, || settings::extractor().recognize(source, task, each, tick))
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
    in_slot(Slot::take(settings::max_concurrent()), work)
}

fn in_slot<T>(slot: Slot, work: impl FnOnce() -> Result<T, ExtractError>) -> Result<T, ExtractError> {
    let waiting = WaitEvent::begin();
    let result = work();
    drop(waiting);
    drop(slot);
    // The worker has exited, so raising the pending cancel leaks nothing.
    check_for_interrupts!();
    result
}

/// Shows in `pg_stat_activity` that this backend waits: `wait_event` is `Extension` while the worker works. Without it, the
/// backend would look as if it computed itself.
pub(crate) struct WaitEvent;

impl WaitEvent {
    pub(crate) fn begin() -> Self {
        Self::report(pg_sys::PG_WAIT_EXTENSION);
        Self
    }

    fn report(event: u32) {
        // SAFETY: Postgres points this at a word of this backend, from its start until its end. It reads it without a lock.
        unsafe { pg_sys::my_wait_event_info.write_volatile(event) };
    }
}

impl Drop for WaitEvent {
    fn drop(&mut self) {
        Self::report(0);
    }
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
