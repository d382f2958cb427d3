//! The edge extracts: bytes out of the database chunk by chunk, into a sealed descriptor, to the worker.
//!
//! Invariant: the file is never whole in this process's memory; no connection is held while the worker
//! reads.

use super::{Job, JobError};
use crate::app::App;
use crate::db::{Caller, first};
use crate::documents::read_content;
use crate::upload::hex;
use aws_lc_rs::digest::{Context, SHA256};
use dossier_extract::{ExtractError, Extraction, Extractor, Request, Source, Tick};
use std::io::Write;
use std::sync::Arc;
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;

const COMPLETE: &str = "select dossier.complete_job($1, $2, $3::jsonb, $4)";
const CHUNK_BYTES: u64 = 256 * 1024;

/// The document's new status.
pub(super) async fn extract(
    app: &App,
    extractor: &Arc<Extractor>,
    job: &Job,
    hurry: &CancellationToken,
    lost: &CancellationToken,
) -> Result<String, JobError> {
    let source = fetch(app, job).await?;
    let extraction = match in_a_worker(extractor, source, job, hurry, lost).await {
        Err(JobError::Extract(ExtractError::Cancelled)) if hurry.is_cancelled() => {
            return Err(JobError::Stopped);
        }
        outcome => outcome?,
    };
    let pages = serde_json::to_string(&extraction.pages).map_err(std::io::Error::from)?;
    let params = [
        (&job.id as _, Type::INT8),
        (&job.attempt as _, Type::INT4),
        (&pages as _, Type::TEXT),
        (&extraction.media_type as _, Type::TEXT),
    ];
    let rows = app.db.rows(&Caller::service(), COMPLETE, &params).await?;
    match first(&rows)? {
        Some(true) => Ok("ready".to_owned()),
        _ => Err(JobError::Lost),
    }
}

/// The document's bytes, checked against what was uploaded.
async fn fetch(app: &App, job: &Job) -> Result<Source, JobError> {
    let mut file = Source::empty()?;
    let mut hash = Context::new(&SHA256);
    let mut at = 0;
    while at < job.size_bytes {
        let chunk = read_content(app, &Caller::service(), job.document_id, at, CHUNK_BYTES).await?;
        if chunk.is_empty() {
            break;
        }
        hash.update(&chunk);
        file.write_all(&chunk)?;
        at += chunk.len() as u64;
    }
    if hex(hash.finish().as_ref()) != job.sha256 {
        return Err(JobError::Corrupt);
    }
    Ok(Source::seal(file)?)
}

/// Waits for the worker on a thread that may block; told to stop, it kills it. Dropped (the lease was
/// lost), it does the same.
async fn in_a_worker(
    extractor: &Arc<Extractor>,
    source: Source,
    job: &Job,
    hurry: &CancellationToken,
    lost: &CancellationToken,
) -> Result<Extraction, JobError> {
    let request = Request { media_type: Some(job.media_type.clone()), ..Request::default() };
    let (extractor, hurry, lost) = (Arc::clone(extractor), hurry.clone(), lost.clone());
    let tick = move || if hurry.is_cancelled() || lost.is_cancelled() { Tick::Stop } else { Tick::Continue };
    let work = tokio::task::spawn_blocking(move || extractor.extract(&source, &request, tick));
    match work.await {
        Ok(outcome) => Ok(outcome?),
        Err(panicked) => Err(std::io::Error::other(panicked).into()),
    }
}
