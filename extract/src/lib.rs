//! Extracts text from a hostile file in a child process.
//!
//! A caller copies the bytes into a [`Source`] and asks an [`Extractor`] for the text. The extractor
//! spawns `dossier-extract-worker`, passes it the source as a descriptor, reads its replies, and kills
//! it when the deadline passes, a limit is exceeded or the caller's `tick` returns [`Tick::Stop`]. If
//! pages show images but no text, a second worker runs OCR on them.
//!
//! Invariant: never parses a file; only the worker does.
//! Invariant: opens no path except the worker's executable; files arrive as sealed memory descriptors.
//! Invariant: knows nothing about Postgres or HTTP; callers cancel through `tick`.
//! Invariant: starts no thread, keeps no global state and touches no signal handler, so that a
//! single-threaded Postgres backend can call it.

mod characters;
mod client;
mod error;
mod invocation;
mod limits;
mod ocr;
mod ocr_slice;
pub mod protocol;
mod recognition;
mod recognized_page;
mod recognized_text;
mod replies;
mod source;
mod structure;
mod thumbnail;
mod worker;

pub use client::{Extractor, Tick};
pub use error::ExtractError;
pub use invocation::{Invocation, Recognition, Task};
pub use limits::{Limits, Sandbox};
pub use ocr::{Languages, LanguagesError, OcrLimits, OcrSettings};
pub use protocol::{
    Extraction, Isolation, LanguageSoFar, Metadata, Ocr, OcrOutcome, OutlineEntry, Page, PageSource,
    PagesRead, PdfEngine, Request, TextFormat,
};
pub use recognized_page::{OcrProgress, OcrTask, RecognizedPage};
pub use source::Source;
pub use structure::{PageHeading, PageStructure, PageTable, TableCell, TableEvidence};
pub use thumbnail::{Thumbnail, ThumbnailRequest};
