//! Reads a stored document for `dossier.run_job`: bytes from their chunks, result as JSON.
//!
//! Invariant: only a few chunks are in memory at a time. The whole file is only in the worker's descriptor.
//! Invariant: an error in the file is a result, not an SQL error. `run_job` stores it.

use crate::{errors, extraction};
use dossier_extract::{ExtractError, Ocr, Request, Source};
use pgrx::prelude::*;
use pgrx::spi::SpiError;
use pgrx::{JsonB, Uuid};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::Write;

/// Chunks fetched at a time: 1 MiB of 256 KiB rows.
const BATCH: i64 = 4;

/// An extraction as JSON, `{"pages": […], "media_type", "metadata", …}`, or `{"error": {"code", "message",
/// "transient"}}`.
#[pg_extern]
pub(crate) fn extract_stored(document_id: Uuid, media_type: &str, sha256: &str, force_ocr: bool) -> JsonB {
    let ocr = if force_ocr { Ocr::Force } else { Ocr::Auto };
    let request = Request { media_type: Some(media_type.to_owned()), ocr, ..Request::default() };
    answer(document_id, sha256, |source| extraction::extract(source, request))
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
