//! Reads a stored document for `dossier.run_job`: bytes from their chunks, result as JSON.
//!
//! Invariant: only a few chunks are in memory at a time. The whole file is only in the worker's descriptor.
//! Invariant: an error in the file is a result, not an SQL error. `run_job` stores it.

use crate::{errors, extraction, functions};
use dossier_extract::{ExtractError, OcrProgress, OcrTask, Page, RecognizedPage, Request, Source, Tick};
use pgrx::prelude::*;
use pgrx::spi::SpiError;
use pgrx::{JsonB, Uuid};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::time::Duration;

/// Chunks fetched at a time: 1 MiB of 256 KiB rows.
const BATCH: i64 = 4;

/// An extraction as JSON, `{"pages": […], "media_type", "metadata", …}`, or `{"error": {"code", "message",
/// "transient"}}`.
#[pg_extern]
pub(crate) fn extract_stored(document_id: Uuid, media_type: &str, sha256: &str, ocr: &str) -> JsonB {
    let ocr = functions::ocr(ocr);
    let request =
        Request { media_type: Some(media_type.to_owned()), ocr, structure: true, ..Request::default() };
    answer(document_id, sha256, |source| extraction::extract_text(source, request))
}

/// After this time and at least one page, OCR makes room for other jobs, and ends its transaction.
const OCR_SLICE: Duration = Duration::from_secs(10);

/// What OCR has read in one slice.
#[derive(Serialize)]
struct Recognized {
    pages: Vec<Finished>,
    /// Whether pages remain.
    is_over: bool,
    language: Option<String>,
}

#[derive(Serialize)]
struct Finished {
    page: Page,
    is_read: bool,
}

/// Runs OCR on `pages`, as many as fit into a slice. Returns `{"pages": [{"page", "is_read"}], "is_over", "language"}`, or an
/// error as above.
#[pg_extern]
pub(crate) fn recognize_stored(
    document_id: Uuid,
    media_type: &str,
    sha256: &str,
    pages: JsonB,
    is_forced: bool,
    language: Option<&str>,
    worked_seconds: f32,
) -> JsonB {
    let pages: Vec<Page> = match serde_json::from_value(pages.0) {
        Ok(pages) => pages,
        Err(error) => error!("the pages for OCR are malformed: {error}"),
    };
    let task = OcrTask {
        media_type: Some(media_type.to_owned()),
        pages,
        is_forced,
        language: language.map(str::to_owned),
        slice: OCR_SLICE,
        spent: Duration::try_from_secs_f32(worked_seconds).unwrap_or_default(),
    };
    answer(document_id, sha256, |source| recognize(source, task))
}

fn recognize(source: &Source, task: OcrTask) -> Result<Recognized, ExtractError> {
    let mut pages = Vec::new();
    let progress = extraction::recognize(source, task, |RecognizedPage { page, is_read }| {
        pages.push(Finished { page, is_read });
        Tick::Continue
    })?;
    Ok(match progress {
        OcrProgress::Finished { language } => Recognized { pages, is_over: false, language },
        OcrProgress::Paused => Recognized { pages, is_over: true, language: None },
    })
}

/// A thumbnail as JSON, `{"media_type", "width", "height", "bytes"}` (base64), or an error as above.
#[pg_extern]
pub(crate) fn draw_stored(document_id: Uuid, media_type: &str, sha256: &str) -> JsonB {
    answer(document_id, sha256, |source| extraction::thumbnail(source, media_type))
}

fn answer<T: Serialize>(
    document_id: Uuid,
    sha256: &str,
    work: impl FnOnce(&Source) -> Result<T, ExtractError>,
) -> JsonB {
    let (source, found) = match read(document_id) {
        Ok(read) => read,
        Err(ReadError::Io(error)) => errors::raise_no_source(&error),
        Err(ReadError::Spi(error)) => error!("the stored bytes cannot be read: {error}"),
    };
    if found != sha256 {
        return failure("checksum_mismatch", "The stored bytes do not match the digest of the upload", false);
    }
    match work(&source) {
        Ok(result) => match serde_json::to_value(result) {
            Ok(json) => JsonB(json),
            Err(error) => error!("the result of the worker cannot be written as JSON: {error}"),
        },
        Err(error) => failure(error.code(), &message(&error), error.is_transient()),
    }
}

enum ReadError {
    Io(std::io::Error),
    Spi(SpiError),
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<SpiError> for ReadError {
    fn from(error: SpiError) -> Self {
        Self::Spi(error)
    }
}

/// The document's bytes as a source, and their SHA-256 in hexadecimal.
fn read(document_id: Uuid) -> Result<(Source, String), ReadError> {
    let mut file = Source::empty()?;
    let mut hash = Sha256::new();
    Spi::connect(|client| {
        let mut cursor = client.open_cursor(
            "select c.bytes from dossier.documents d \
             join dossier_private.document_chunks c on c.document_id = d.id and c.organization_id = d.organization_id \
             where d.id = $1 order by c.seq",
            &[document_id.into()],
        );
        loop {
            let rows = cursor.fetch(BATCH)?;
            if rows.is_empty() {
                return Ok::<_, ReadError>(());
            }
            for row in rows {
                if let Some(bytes) = row.get::<&[u8]>(1)? {
                    hash.update(bytes);
                    file.write_all(bytes)?;
                }
            }
        }
    })?;
    let digest = hash.finalize();
    Ok((Source::seal(file)?, format!("{digest:x}")))
}

fn failure(code: &str, message: &str, transient: bool) -> JsonB {
    JsonB(serde_json::json!({ "error": { "code": code, "message": message, "transient": transient } }))
}

/// Returns what the document's owner may see. Paths and errors of the host are only in the server's log.
fn message(error: &ExtractError) -> String {
    if error.is_transient() {
        warning!("extraction failed: {error}");
        return "Extraction is unavailable at the moment".to_owned();
    }
    error.to_string()
}
