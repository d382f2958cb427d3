//! One session as a Word document, by the crate `dossier-word-export`.
//!
//! Invariant: at most two documents are built at the same time, each on a blocking thread.

use super::session_reader::{Piece, SessionReader};
use crate::http::{ApiError, Problem};
use dossier_word_export::{Error, WordExport};
use http::StatusCode;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

static PLACES: Semaphore = Semaphore::const_new(2);

/// The session of `reader` as the bytes of a Word document, if it has at most `limit` bytes of text.
pub(super) async fn export(mut reader: SessionReader, limit: usize) -> Result<Vec<u8>, ApiError> {
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
        Error::TooLong { limit } => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The session has more than {limit} bytes of text, too many for a Word document"),
        )
        .details("This is a limit of the edge (EXPORT_DOCX_MAX_BYTES).")
        .hint("Export the session with format=zip or ndjson, or ask the operator to raise the limit.")
        .into(),
        error => ApiError::internal(error),
    }
}
