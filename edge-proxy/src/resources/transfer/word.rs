//! One session as a Word document, by `dossier-word-export`.
//!
//! Invariant: few documents are built at once, each on a blocking thread.

use super::session_reader::{Piece, SessionReader};
use crate::http::{ApiError, Problem};
use dossier_word_export::{Error, WordExport};
use http::StatusCode;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

static PLACES: Semaphore = Semaphore::const_new(2);

/// The session of `reader` as the bytes of a Word document of at most `limit` bytes of text.
pub(super) async fn written(mut reader: SessionReader, limit: usize) -> Result<Vec<u8>, ApiError> {
    let _place = PLACES.acquire().await.map_err(ApiError::internal)?;
    let mut document = WordExport::new(limit);
    while let Some(piece) = reader.next().await? {
        add(&mut document, &piece).map_err(refused)?;
    }
    spawn_blocking(move || document.build()).await.map_err(ApiError::internal)?.map_err(refused)
}

fn add(word: &mut WordExport, piece: &Piece) -> Result<(), Error> {
    match piece {
        Piece::Session { record, .. } => word.session(record),
        Piece::Version { record, .. } => word.context_version(record),
        Piece::Document(document) => word.document(&document.record),
        Piece::Pages { records, .. } => records.iter().try_for_each(|record| word.page(record)),
        _ => Ok(()),
    }
}

fn refused(error: Error) -> ApiError {
    match error {
        Error::TooLong { .. } => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())
            .hint("Export it with format=zip or ndjson, or have the operator raise EXPORT_DOCX_MAX_BYTES.")
            .into(),
        error => ApiError::internal(error),
    }
}
