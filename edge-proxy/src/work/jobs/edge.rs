//! Extraction at the edge: copies the bytes from the database chunk by chunk into a sealed descriptor for the worker.
//!
//! Invariant: the file is never completely in this process's memory, and no connection is held while the worker runs.

use super::{Job, JobError, Work};
use crate::app::App;
use crate::db::{CHUNK_BYTES, Caller, Param, first};
use crate::sha256::Sha256;
use dossier_extract::{
    ExtractError, Extraction, Extractor, Metadata, Ocr, OcrOutcome, Request, Source, Thumbnail,
    ThumbnailRequest, Tick,
};
use serde::Serialize;
use std::io::Write;
use std::sync::Arc;
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;

const COMPLETE: &str = "select dossier.complete_job($1, $2, $3::jsonb, $4, $5::jsonb)";
const COMPLETE_THUMBNAIL: &str = "select dossier.complete_thumbnail($1, $2, $3, $4, $5, $6)";

/// Runs the job and returns the resulting status.
pub(super) async fn run(
    app: &App,
    extractor: &Arc<Extractor>,
    job: &Job,
    hurry: &CancellationToken,
    lost: &CancellationToken,
) -> Result<String, JobError> {
    let source = fetch(app, job).await?;
    let extractor = Arc::clone(extractor);
    let media_type = Some(job.media_type.clone());
    match job.work {
        Work::Text { ocr } => {
            let ocr = if ocr { Ocr::Force } else { Ocr::Auto };
            let request = Request { media_type, ocr, ..Request::default() };
            let work = move |tick: TickFn| extractor.extract(&source, &request, tick);
            let extraction = in_a_worker(work, hurry, lost).await?;
            store_text(app, job, &extraction).await
        }
        Work::Thumbnail => {
            let request = ThumbnailRequest { media_type, ..ThumbnailRequest::default() };
            let work = move |tick: TickFn| extractor.thumbnail(&source, &request, tick);
            let thumbnail = in_a_worker(work, hurry, lost).await?;
            store_thumbnail(app, job, &thumbnail).await
        }
    }
}

/// The document's bytes, checked against the digest of the upload.
async fn fetch(app: &App, job: &Job) -> Result<Source, JobError> {
    let mut file = Source::empty()?;
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < job.size_bytes {
        let chunk = app.db.content(&Caller::service(), job.document_id, at, CHUNK_BYTES as u64).await?;
        if chunk.is_empty() {
            break;
        }
        hash.update(&chunk);
        file.write_all(&chunk)?;
        at += chunk.len() as u64;
    }
    if hash.hex() != job.sha256 {
        return Err(JobError::Corrupt);
    }
    Ok(Source::seal(file)?)
}

type TickFn = Box<dyn FnMut() -> Tick + Send>;

/// Waits for the worker on a thread that may block. A stop signal kills the worker.
async fn in_a_worker<T: Send + 'static>(
    work: impl FnOnce(TickFn) -> Result<T, ExtractError> + Send + 'static,
    hurry: &CancellationToken,
    lost: &CancellationToken,
) -> Result<T, JobError> {
    let (stop, hurried) = (lost.clone(), hurry.clone());
    let tick =
        move || if hurried.is_cancelled() || stop.is_cancelled() { Tick::Stop } else { Tick::Continue };
    match tokio::task::spawn_blocking(move || work(Box::new(tick))).await {
        Ok(Err(ExtractError::Cancelled)) if hurry.is_cancelled() => Err(JobError::Stopped),
        Ok(outcome) => Ok(outcome?),
        Err(panicked) => Err(std::io::Error::other(panicked).into()),
    }
}

/// The result of an extraction, except its pages.
#[derive(Serialize)]
struct Details<'a> {
    metadata: &'a Metadata,
    language: &'a Option<String>,
    needs_ocr: &'a [u32],
    ocr: &'a OcrOutcome,
}

async fn store_text(app: &App, job: &Job, extraction: &Extraction) -> Result<String, JobError> {
    let Extraction { media_type, pages, metadata, language, needs_ocr, ocr } = extraction;
    let pages = serde_json::to_string(pages).map_err(std::io::Error::from)?;
    let details = Details { metadata, language, needs_ocr, ocr };
    let details = serde_json::to_string(&details).map_err(std::io::Error::from)?;
    let result = [(&pages as _, Type::TEXT), (media_type as _, Type::TEXT), (&details as _, Type::TEXT)];
    store(app, job, COMPLETE, &result).await?;
    Ok("ready".to_owned())
}

async fn store_thumbnail(app: &App, job: &Job, thumbnail: &Thumbnail) -> Result<String, JobError> {
    let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    let (width, height) = (side(thumbnail.width), side(thumbnail.height));
    let result = [
        (&thumbnail.media_type as _, Type::TEXT),
        (&width as _, Type::INT4),
        (&height as _, Type::INT4),
        (&thumbnail.bytes as _, Type::BYTEA),
    ];
    store(app, job, COMPLETE_THUMBNAIL, &result).await?;
    Ok("made".to_owned())
}

/// Runs `sql` with the job, its attempt and the result.
async fn store(app: &App, job: &Job, sql: &str, result: &[Param<'_>]) -> Result<(), JobError> {
    let mut params: Vec<Param<'_>> = vec![(&job.id, Type::INT8), (&job.attempt, Type::INT4)];
    params.extend_from_slice(result);
    let rows = app.db.rows(&Caller::service(), sql, &params).await?;
    match first(&rows)? {
        Some(true) => Ok(()),
        _ => Err(JobError::Lost),
    }
}
