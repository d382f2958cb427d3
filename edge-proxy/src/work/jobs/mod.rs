//! The job loop for extraction, OCR and thumbnails: claims jobs, runs them, extends their leases, and releases them at shutdown.
//!
//! Any number of edges may do this at the same time. A job is leased to one attempt, whose number fences off all others.
//! If an edge dies, its jobs are retried when their leases expire.
//! Invariant: everything here runs as `service_role`, and no request reaches it.

mod database;
mod edge;
mod probe;
mod text;
mod upkeep;

pub(crate) use probe::{database_ocr, edge_ocr, try_program};

use crate::app::App;
use crate::config::{Extract, ExtractMode};
use crate::db::{Caller, DbError, Dedicated};
use crate::http::Chain;
use dossier_extract::{Extractor, Ocr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use uuid::Uuid;

const CLAIM: &str = "select job_id, document_id, media_type, size_bytes, sha256, attempt, ocr, kind, language, worked_seconds \
                     from dossier.claim_jobs(worker => $1, limit_count => 1, lease_seconds => $2, with_ocr => $3)";
const EXTEND: &str = "select dossier.extend_lease($1, $2, $3)";
const RELEASE: &str = "select dossier.release_job($1, $2)";
const FAIL: &str = "select dossier.fail_job($1, $2, $3, $4, $5)";
const NATIVE: &str = "select to_regprocedure('dossier.run_job(bigint, integer)') is not null";

/// A claimed job.
#[derive(Debug, Clone)]
struct Job {
    id: i64,
    attempt: i32,
    document_id: Uuid,
    media_type: String,
    size_bytes: u64,
    sha256: String,
    work: Work,
    /// The language that was requested.
    language: Option<String>,
    /// How long earlier attempts took together.
    spent: Duration,
}

/// The work of a job.
#[derive(Debug, Clone, Copy)]
enum Work {
    /// Extract the text.
    Text { ocr: Ocr },
    /// Run OCR on the pages that are images.
    Ocr { is_forced: bool },
    /// Draw the first page.
    Thumbnail,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Text { .. } => "extraction",
            Self::Ocr { .. } => "OCR",
            Self::Thumbnail => "thumbnail",
        }
    }
}

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
enum JobError {
    /// A fault of the file or the worker.
    #[error(transparent)]
    Extract(#[from] dossier_extract::ExtractError),
    /// The stored bytes differ from the uploaded ones.
    #[error("The stored bytes do not match the digest of the upload")]
    Corrupt,
    /// The job now belongs to another attempt.
    #[error("the job belongs to another attempt")]
    Lost,
    /// The document no longer exists.
    #[error("the document was deleted")]
    Deleted,
    /// Shutting down.
    #[error("the edge is shutting down")]
    Stopped,
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Where jobs run.
enum Engine {
    Database,
    Edge(Arc<Extractor>),
}

/// Runs the workers and the upkeep until `stop`. Jobs that run then have until `hurry` to finish.
pub(crate) async fn run(app: App, config: Extract, stop: CancellationToken, hurry: CancellationToken) {
    if config.workers == 0 {
        info!("no extraction at this edge (EXTRACT_WORKERS is 0)");
        return;
    }
    let Some(engine) = stop.run_until_cancelled(engine(&app, &config)).await else { return };
    let engine = Arc::new(engine);
    info!(
        workers = config.workers,
        "extracting {}",
        match *engine {
            Engine::Database => "in the database",
            Engine::Edge(_) => "at the edge",
        }
    );
    let new_words = Arc::new(Notify::new());
    for number in 0..config.workers {
        let worker = Worker {
            name: format!("{}/{}", app.name, number + 1),
            // New files do not wait behind scans: one of several workers never reads them.
            with_ocr: number > 0 || config.workers == 1,
            app: app.clone(),
            config: config.clone(),
            engine: Arc::clone(&engine),
            hurry: hurry.clone(),
            new_words: Arc::clone(&new_words),
        };
        app.tasks.spawn(worker.run(stop.clone()));
    }
    tokio::join!(upkeep::sweep(&app, config.sweep, &stop), upkeep::index_words(&app, &new_words, &stop));
}

/// Chooses once. While the database is unavailable, it retries.
async fn engine(app: &App, config: &Extract) -> Engine {
    let native = match config.mode {
        ExtractMode::Database => true,
        ExtractMode::Edge => false,
        ExtractMode::Auto => loop {
            match is_native(app).await {
                Ok(native) => break native,
                Err(error) => debug!("checking whether the database extracts failed: {}", Chain(&error)),
            }
            tokio::time::sleep(config.poll).await;
        },
    };
    if native {
        return Engine::Database;
    }
    Engine::Edge(Arc::new(extractor(config)))
}

/// Whether the database itself can extract.
pub(crate) async fn is_native(app: &App) -> Result<bool, DbError> {
    let rows = app.db.rows(&Caller::service(), NATIVE, &[]).await?;
    Ok(crate::db::first(&rows)?.unwrap_or(false))
}

fn extractor(config: &Extract) -> Extractor {
    let mut extractor = Extractor::new(&config.program);
    extractor.sandbox = config.sandbox;
    extractor.limits = config.limits;
    extractor.ocr = config.ocr.clone();
    extractor
}

struct Worker {
    name: String,
    /// Whether it claims OCR, which takes long.
    with_ocr: bool,
    app: App,
    config: Extract,
    engine: Arc<Engine>,
    hurry: CancellationToken,
    /// Notified when a document has become searchable.
    new_words: Arc<Notify>,
}

impl Worker {
    async fn run(self, stop: CancellationToken) {
        let mut announced = self.app.events.jobs();
        let mut connection = None;
        while !stop.is_cancelled() {
            // Mark before claiming, so that a notification during the claim is not missed.
            announced.mark_unchanged();
            match self.claim().await {
                Ok(Some(job)) => {
                    self.work(&job, &mut connection).await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => warn!("claiming a job failed: {}", Chain(&error)),
            }
            tokio::select! {
                _ = announced.changed() => {}
                () = tokio::time::sleep(self.config.poll) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn claim(&self) -> Result<Option<Job>, DbError> {
        let params = [
            (&self.name as _, Type::TEXT),
            (&self.config.lease_seconds as _, Type::INT4),
            (&self.with_ocr as _, Type::BOOL),
        ];
        let rows = self.app.db.rows(&Caller::service(), CLAIM, &params).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let size: i64 = row.try_get(3)?;
        let spent: f32 = row.try_get(9)?;
        Ok(Some(Job {
            id: row.try_get(0)?,
            document_id: row.try_get(1)?,
            media_type: row.try_get(2)?,
            size_bytes: u64::try_from(size).unwrap_or(0),
            sha256: row.try_get(4)?,
            attempt: row.try_get(5)?,
            work: {
                let ocr = Ocr::from_name(row.try_get(6)?).unwrap_or_default();
                match row.try_get(7)? {
                    "thumbnail" => Work::Thumbnail,
                    "ocr" => Work::Ocr { is_forced: ocr == Ocr::Force },
                    _ => Work::Text { ocr },
                }
            },
            language: row.try_get(8)?,
            spent: Duration::try_from_secs_f32(spent).unwrap_or_default(),
        }))
    }

    /// Runs the job while extending its lease, and records any outcome. `connection`: for statements that may be cancelled,
    /// kept from job to job.
    async fn work(&self, job: &Job, connection: &mut Option<Dedicated>) {
        let started = std::time::Instant::now();
        let lost = CancellationToken::new();
        let done = async {
            match &*self.engine {
                Engine::Database => database::run(&self.app, connection, job, &self.hurry, &lost).await,
                Engine::Edge(extractor) => edge::run(&self.app, extractor, job, &self.hurry, &lost).await,
            }
        };
        let mut done = std::pin::pin!(done);
        let outcome = tokio::select! {
            outcome = &mut done => outcome,
            why = self.keep_lease(job) => {
                lost.cancel();
                // The signal makes it stop the worker first.
                done.await.or(Err(why))
            }
        };
        let (id, attempt, work) = (job.document_id, job.attempt, job.work.name());
        match outcome {
            Ok(status) => {
                if matches!(job.work, Work::Text { .. } | Work::Ocr { .. }) {
                    self.new_words.notify_one();
                }
                let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                info!(document.id = %id, attempt, milliseconds, "{work} of document {id}: {status}");
            }
            Err(JobError::Deleted) => {
                info!(document.id = %id, attempt, "{work} of document {id} stopped: the document was deleted");
            }
            Err(JobError::Lost) => {
                warn!(document.id = %id, attempt, "{work} of document {id} dropped: it was requested again, or its lease expired");
            }
            Err(JobError::Stopped) => self.release(job).await,
            Err(error) => self.fail(job, &error).await,
        }
    }

    /// Extends the lease until the job is lost, and returns why. Checks at once if the document changes.
    async fn keep_lease(&self, job: &Job) -> JobError {
        let every = Duration::from_secs(u64::try_from(self.config.lease_seconds).unwrap_or(120) / 3);
        let mut events = self.app.events.documents();
        loop {
            let deleted = tokio::select! {
                () = tokio::time::sleep(every) => false,
                deleted = events.interrupted(job.document_id) => deleted,
            };
            match self.extend(job, self.config.lease_seconds).await {
                Ok(true) => {}
                Ok(false) if deleted => return JobError::Deleted,
                Ok(false) => return JobError::Lost,
                Err(error) => {
                    warn!(document.id = %job.document_id, "extending a lease failed: {}", Chain(&error));
                }
            }
        }
    }

    async fn extend(&self, job: &Job, seconds: i32) -> Result<bool, DbError> {
        let params =
            [(&job.id as _, Type::INT8), (&job.attempt as _, Type::INT4), (&seconds as _, Type::INT4)];
        let rows = self.app.db.rows(&Caller::service(), EXTEND, &params).await?;
        Ok(crate::db::first(&rows)?.unwrap_or(false))
    }

    /// Releases the job for another worker. The attempt does not count.
    async fn release(&self, job: &Job) {
        let (id, work) = (job.document_id, job.work.name());
        let params = [(&job.id as _, Type::INT8), (&job.attempt as _, Type::INT4)];
        match self.app.db.rows(&Caller::service(), RELEASE, &params).await {
            Ok(_) => info!(document.id = %id, "released the {work} of document {id}"),
            Err(error) => {
                warn!(document.id = %id, "releasing the {work} of document {id} failed, its lease will expire: {}", Chain(&error));
            }
        }
    }

    async fn fail(&self, job: &Job, error: &JobError) {
        let (id, attempt, work) = (job.document_id, job.attempt, job.work.name());
        let (code, message, retry) = reason(error);
        warn!(document.id = %id, attempt, code, retry, "{work} of document {id} failed: {}", Chain(error));
        let params = [
            (&job.id as _, Type::INT8),
            (&job.attempt as _, Type::INT4),
            (&code as _, Type::TEXT),
            (&message as _, Type::TEXT),
            (&retry as _, Type::BOOL),
        ];
        if let Err(error) = self.app.db.rows(&Caller::service(), FAIL, &params).await {
            warn!(document.id = %id, "recording the failed {work} of document {id} failed, its lease will expire: {}", Chain(&error));
        }
    }
}

/// The error that the document will have, and whether to retry. Faults of the host stay in the log.
fn reason(error: &JobError) -> (&'static str, String, bool) {
    match error {
        JobError::Extract(error) if !error.is_transient() => (error.code(), error.to_string(), false),
        JobError::Extract(error) => (error.code(), unavailable(), true),
        JobError::Corrupt => ("checksum_mismatch", error.to_string(), false),
        _ => ("extraction_failed", unavailable(), true),
    }
}

fn unavailable() -> String {
    "Extraction is unavailable at the moment".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dossier_extract::ExtractError;

    #[test]
    fn a_fault_of_the_file_is_final_and_one_of_the_host_is_retried() {
        let encrypted = reason(&JobError::Extract(ExtractError::Encrypted));
        assert_eq!((encrypted.0, encrypted.2), ("encrypted", false));
        let missing = JobError::Extract(ExtractError::WorkerUnavailable {
            path: "/opt/secret/worker".into(),
            reason: "no such file".into(),
        });
        let (code, message, retry) = reason(&missing);
        assert_eq!((code, retry), ("worker_unavailable", true));
        assert!(!message.contains("/opt"));
    }
}
