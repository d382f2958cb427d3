//! Extraction at the edge: copies the bytes from the database chunk by chunk into a sealed descriptor for the worker.
//!
//! Invariant: the file is never completely in this process's memory, and no connection is held while the worker runs.

use super::{Job, JobError, Work, text};
use crate::app::App;
use crate::db::{CHUNK_BYTES, Caller, Param, first};
use crate::sha256::Sha256;
use dossier_extract::{
    ExtractError, Extractor, OcrProgress, OcrTask, Page, RecognizedPage, Request, Source, Thumbnail,
    ThumbnailRequest, Tick,
};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;

const OCR_PAGES: &str = "select dossier.ocr_pages($1, $2)::text";
const STORE_OCR_PAGE: &str = "select dossier.store_ocr_page($1, $2, $3::jsonb, $4)";
const FINISH_OCR: &str = "select dossier.finish_ocr($1, $2, $3)";
const RELEASE: &str = "select dossier.release_job($1, $2)";
const COMPLETE_THUMBNAIL: &str = "select dossier.complete_thumbnail($1, $2, $3, $4, $5, $6)";

/// How long storing a result may take. A long text is indexed in the same transaction, which takes seconds, and far longer
/// on a busy database. No user waits for it, and a second try would start from the beginning.
const TIME_TO_STORE: Duration = Duration::from_mins(5);

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
            let request = Request { media_type, ocr, structure: true, ..Request::default() };
            text::extract(app, extractor, job, source, request, hurry, lost).await
        }
        Work::Ocr { is_forced } => recognize(app, extractor, job, is_forced, source, hurry, lost).await,
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

/// After this time and at least one page, OCR makes room for other jobs. Another worker may continue it.
const OCR_SLICE: Duration = Duration::from_secs(10);
/// Recognized pages that wait to be stored, while the worker reads the next one.
const OCR_QUEUE: usize = 4;

/// Reads the remaining pages of an OCR job, as many as fit into a slice, and stores each as soon as it is read.
async fn recognize(
    app: &App,
    extractor: Arc<Extractor>,
    job: &Job,
    is_forced: bool,
    source: Source,
    hurry: &CancellationToken,
    lost: &CancellationToken,
) -> Result<String, JobError> {
    let identity = [(&job.id as _, Type::INT8), (&job.attempt as _, Type::INT4)];
    let pages = app.db.json(&Caller::service(), OCR_PAGES, &identity).await?.ok_or(JobError::Lost)?;
    let pages: Vec<Page> = serde_json::from_str(&pages).map_err(std::io::Error::from)?;
    let (sender, mut finished) = mpsc::channel(OCR_QUEUE);
    let task = OcrTask {
        media_type: Some(job.media_type.clone()),
        pages,
        is_forced,
        language: job.language.clone(),
        slice: OCR_SLICE,
        spent: job.spent,
    };
    let reading = in_a_worker(
        move |tick: TickFn| {
            let each = move |page: RecognizedPage| {
                // If nothing receives the page, the job is lost.
                if sender.blocking_send(page).is_err() { Tick::Stop } else { Tick::Continue }
            };
            extractor.recognize(&source, task, each, tick)
        },
        hurry,
        lost,
    );
    let storing = async move {
        while let Some(RecognizedPage { page, is_read }) = finished.recv().await {
            let page = serde_json::to_string(&page).map_err(std::io::Error::from)?;
            store(app, job, STORE_OCR_PAGE, &[(&page as _, Type::TEXT), (&is_read as _, Type::BOOL)]).await?;
        }
        Ok::<_, JobError>(())
    };
    let (read, stored) = tokio::join!(reading, storing);
    stored?;
    match read? {
        OcrProgress::Finished { language } => {
            store(app, job, FINISH_OCR, &[(&language as _, Type::TEXT)]).await?;
            Ok("read".to_owned())
        }
        OcrProgress::Paused => {
            store(app, job, RELEASE, &[]).await?;
            Ok("to be continued".to_owned())
        }
    }
}

pub(super) type TickFn = Box<dyn FnMut() -> Tick + Send>;

/// Waits for the worker on a thread that may block. A stop signal kills the worker.
pub(super) async fn in_a_worker<T: Send + 'static>(
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
pub(super) async fn store(app: &App, job: &Job, sql: &str, result: &[Param<'_>]) -> Result<(), JobError> {
    let mut params: Vec<Param<'_>> = vec![(&job.id, Type::INT8), (&job.attempt, Type::INT4)];
    params.extend_from_slice(result);
    let rows = app.db.rows_within(TIME_TO_STORE, &Caller::service(), sql, &params).await?;
    match first(&rows)? {
        Some(true) => Ok(()),
        _ => Err(JobError::Lost),
    }
}
