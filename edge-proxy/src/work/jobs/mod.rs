//! Jobs, the text of documents and their thumbnails: claims them, has them done, keeps their leases, hands them
//! back at shutdown.
//!
//! Any number of edges may do this side by side: a job is leased to one attempt, whose number fences off
//! every other. A job whose edge dies is taken up again when its lease runs out.
//! Invariant: everything here runs as `service_role`; nothing here is reached from a request.

mod database;
mod edge;
mod probe;
mod upkeep;

pub(crate) use probe::{database_ocr, edge_ocr, try_program};

use crate::app::App;
use crate::config::{Extract, ExtractMode};
use crate::db::{Caller, DbError, Dedicated};
use dossier_extract::Extractor;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use uuid::Uuid;

const CLAIM: &str = "select job_id, document_id, media_type, size_bytes, sha256, attempt, ocr, kind \
                     from dossier.claim_jobs(worker => $1, limit_count => 1, lease_seconds => $2)";
const EXTEND: &str = "select dossier.extend_lease($1, $2, $3)";
const RELEASE: &str = "select dossier.release_job($1, $2)";
const FAIL: &str = "select dossier.fail_job($1, $2, $3, $4, $5)";
const NATIVE: &str = "select to_regprocedure('dossier.run_job(bigint, integer)') is not null";

/// A job that is ours until its lease ends.
#[derive(Debug, Clone)]
struct Job {
    id: i64,
    attempt: i32,
    document_id: Uuid,
    media_type: String,
    size_bytes: u64,
    sha256: String,
    work: Work,
}

/// What there is to do.
#[derive(Debug, Clone, Copy)]
enum Work {
    /// Read the text; all of it by OCR when asked to.
    Text { ocr: bool },
    /// Draw the first page.
    Thumbnail,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Text { .. } => "extraction",
            Self::Thumbnail => "thumbnail",
        }
    }
}

/// Why an attempt came to nothing.
#[derive(Debug, thiserror::Error)]
enum JobError {
    /// About the file or the worker; the reader of the document may know it.
    #[error(transparent)]
    Extract(#[from] dossier_extract::ExtractError),
    /// The bytes that came out of the database are not those that went in.
    #[error("the stored bytes are not those that were uploaded")]
    Corrupt,
    /// The job belongs to another attempt now.
    #[error("the job is no longer this attempt's")]
    Lost,
    /// There is nothing to read any more.
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

/// Who does the work.
enum Engine {
    Database,
    Edge(Arc<Extractor>),
}

/// The workers and the upkeep, until `stop`; what runs then has until `hurry` to finish.
pub(crate) async fn run(app: App, config: Extract, stop: CancellationToken, hurry: CancellationToken) {
    if config.workers == 0 {
        info!("no extraction here (EXTRACT_WORKERS is 0)");
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

/// Chooses once; a database that cannot be asked yet is asked until it can.
async fn engine(app: &App, config: &Extract) -> Engine {
    let native = match config.mode {
        ExtractMode::Database => true,
        ExtractMode::Edge => false,
        ExtractMode::Auto => loop {
            match is_native(app).await {
                Ok(native) => break native,
                Err(error) => debug!("cannot ask whether the database extracts: {error}"),
            }
            tokio::time::sleep(config.poll).await;
        },
    };
    if native {
        return Engine::Database;
    }
    Engine::Edge(Arc::new(extractor(config)))
}

/// Whether the database can extract by itself.
pub(crate) async fn is_native(app: &App) -> Result<bool, DbError> {
    let rows = app.db.rows(&Caller::service(), NATIVE, &[]).await?;
    Ok(crate::db::first(&rows)?.unwrap_or(false))
}

fn extractor(config: &Extract) -> Extractor {
    let mut extractor = Extractor::new(&config.program);
    extractor.sandbox = config.sandbox;
    extractor.ocr = config.ocr.clone();
    extractor
}

struct Worker {
    name: String,
    app: App,
    config: Extract,
    engine: Arc<Engine>,
    hurry: CancellationToken,
    /// Told when a document has become searchable.
    new_words: Arc<Notify>,
}

impl Worker {
    async fn run(self, stop: CancellationToken) {
        let mut announced = self.app.events.jobs();
        let mut connection = None;
        while !stop.is_cancelled() {
            // Seen before looking, so that a job announced meanwhile is not slept through.
            announced.mark_unchanged();
            match self.claim().await {
                Ok(Some(job)) => {
                    self.work(&job, &mut connection).await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => warn!("cannot claim a job: {}", crate::http::Chain(&error)),
            }
            tokio::select! {
                _ = announced.changed() => {}
                () = tokio::time::sleep(self.config.poll) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn claim(&self) -> Result<Option<Job>, DbError> {
        let params = [(&self.name as _, Type::TEXT), (&self.config.lease_seconds as _, Type::INT4)];
        let rows = self.app.db.rows(&Caller::service(), CLAIM, &params).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let size: i64 = row.try_get(3)?;
        Ok(Some(Job {
            id: row.try_get(0)?,
            document_id: row.try_get(1)?,
            media_type: row.try_get(2)?,
            size_bytes: u64::try_from(size).unwrap_or(0),
            sha256: row.try_get(4)?,
            attempt: row.try_get(5)?,
            work: match row.try_get(7)? {
                "thumbnail" => Work::Thumbnail,
                _ => Work::Text { ocr: row.try_get(6)? },
            },
        }))
    }

    /// Does the job while keeping its lease; whatever happens, the job is told. `connection`: for statements that may
    /// be cancelled, kept from job to job.
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
                // Told so, it stops the worker before it ends.
                done.await.or(Err(why))
            }
        };
        let (id, attempt, work) = (job.document_id, job.attempt, job.work.name());
        match outcome {
            Ok(status) => {
                if matches!(job.work, Work::Text { .. }) {
                    self.new_words.notify_one();
                }
                let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                info!(document.id = %id, attempt, milliseconds, "{work} of document {id}: {status}");
            }
            Err(JobError::Deleted) => {
                info!(document.id = %id, attempt, "{work} of document {id} is stopped: it was deleted");
            }
            Err(JobError::Lost) => {
                warn!(document.id = %id, attempt, "{work} of document {id} is dropped: it was asked for again, or its lease ran out");
            }
            Err(JobError::Stopped) => self.hand_back(job).await,
            Err(error) => self.fail(job, &error).await,
        }
    }

    /// Extends the lease as long as it is ours, and returns why it is not. Whatever happens to the document
    /// meanwhile makes it look at once.
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
                Err(error) => warn!(document.id = %job.document_id, "a lease could not be extended: {error}"),
            }
        }
    }

    async fn extend(&self, job: &Job, seconds: i32) -> Result<bool, DbError> {
        let params =
            [(&job.id as _, Type::INT8), (&job.attempt as _, Type::INT4), (&seconds as _, Type::INT4)];
        let rows = self.app.db.rows(&Caller::service(), EXTEND, &params).await?;
        Ok(crate::db::first(&rows)?.unwrap_or(false))
    }

    /// Another worker takes the job up at once; the attempt does not count.
    async fn hand_back(&self, job: &Job) {
        let (id, work) = (job.document_id, job.work.name());
        let params = [(&job.id as _, Type::INT8), (&job.attempt as _, Type::INT4)];
        match self.app.db.rows(&Caller::service(), RELEASE, &params).await {
            Ok(_) => info!(document.id = %id, "handed back the {work} of document {id}"),
            Err(error) => {
                warn!(document.id = %id, "could not hand back the {work} of document {id}, its lease will run out: {error}");
            }
        }
    }

    async fn fail(&self, job: &Job, error: &JobError) {
        let (id, attempt, work) = (job.document_id, job.attempt, job.work.name());
        let (code, message, retry) = reason(error);
        warn!(document.id = %id, attempt, code, retry, "{work} of document {id} failed: {}", crate::http::Chain(error));
        let params = [
            (&job.id as _, Type::INT8),
            (&job.attempt as _, Type::INT4),
            (&code as _, Type::TEXT),
            (&message as _, Type::TEXT),
            (&retry as _, Type::BOOL),
        ];
        if let Err(error) = self.app.db.rows(&Caller::service(), FAIL, &params).await {
            warn!(document.id = %id, "the failed {work} of document {id} could not be recorded, its lease will run out: {error}");
        }
    }
}

/// What the document will say, and whether another attempt may help. The host's faults stay in the log.
fn reason(error: &JobError) -> (&'static str, String, bool) {
    match error {
        JobError::Extract(error) if !error.is_transient() => (error.code(), error.to_string(), false),
        JobError::Extract(error) => (error.code(), unavailable(), true),
        JobError::Corrupt => ("checksum_mismatch", error.to_string(), false),
        _ => ("extraction_failed", unavailable(), true),
    }
}

fn unavailable() -> String {
    "extraction is not available at the moment".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dossier_extract::ExtractError;

    #[test]
    fn a_fault_of_the_file_is_told_and_final_one_of_the_host_is_neither() {
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
