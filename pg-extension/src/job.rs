//! `call dossier.run_job(job_id, attempt)`: takes the task, has a worker read the file, stores the result. One transaction.
//!
//! Invariant: until the worker has ended, the transaction has written nothing and locked no row, and while the worker reads it
//! has no snapshot either. So a file that takes long holds back neither vacuum nor other workers.
//! Invariant: an error in the file is a result, not an SQL error. `dossier_private.store_result` stores it.

use crate::stored::{self, ReadError};
use crate::{errors, extraction, functions, snapshot};
use dossier_extract::{ExtractError, OcrProgress, OcrTask, Page, RecognizedPage, Request, Source, Tick};
use pgrx::JsonB;
use pgrx::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

const TASK: &str = "select dossier_private.job_task($1, $2)";
const STORE: &str = "select dossier_private.store_result($1, $2, $3, $4)";

/// After this time and at least one page, OCR makes room for other jobs, and ends its transaction.
const OCR_SLICE: Duration = Duration::from_secs(10);

/// A job, as `dossier_private.job_task` returns it.
#[derive(Deserialize)]
struct Task {
    kind: String,
    document_id: String,
    media_type: String,
    sha256: String,
    ocr: String,
    language: Option<String>,
    worked_seconds: f32,
    /// For OCR: the pages to read.
    pages: Vec<Page>,
}

/// Runs a claimed job. Does nothing if the attempt no longer owns it.
#[pg_extern]
pub(crate) fn run_job(job_id: Option<i64>, attempt: Option<i32>) {
    let (Some(job_id), Some(attempt)) = (job_id, attempt) else { return };
    let Some(task) = find(job_id, attempt) else { return };
    let (kind, result) = (task.kind.clone(), work(task));
    let args = [job_id.into(), attempt.into(), kind.into(), JsonB(result).into()];
    if let Err(error) = Spi::run_with_args(STORE, &args) {
        error!("the result of a job cannot be stored: {error}");
    }
}

fn find(job_id: i64, attempt: i32) -> Option<Task> {
    // `select` assigns no transaction id, which would hold back vacuum like a snapshot. Spi::get_one() does.
    let args = [job_id.into(), attempt.into()];
    let task = Spi::connect(|client| client.select(TASK, Some(1), &args)?.first().get_one::<JsonB>());
    match task.map(|json| json.map(|JsonB(task)| serde_json::from_value(task)).transpose()) {
        Ok(Ok(task)) => task,
        Ok(Err(error)) => error!("the task of a job is malformed: {error}"),
        Err(error) => error!("the task of a job cannot be read: {error}"),
    }
}

/// The result as JSON, or `{"error": {"code", "message", "transient"}}`.
fn work(task: Task) -> Value {
    let (source, found) = match stored::read(&task.document_id) {
        Ok(read) => read,
        Err(ReadError::Io(error)) => errors::raise_no_source(&error),
        Err(ReadError::Spi(error)) => error!("the stored bytes cannot be read: {error}"),
    };
    if found != task.sha256 {
        return failure("checksum_mismatch", "The stored bytes do not match the digest of the upload", false);
    }
    snapshot::released(|| match task.kind.as_str() {
        "ocr" => answer(recognize(&source, task)),
        "thumbnail" => answer(extraction::thumbnail(&source, &task.media_type)),
        _ => answer(extract(&source, task)),
    })
}

fn extract(source: &Source, task: Task) -> Result<dossier_extract::Extraction, ExtractError> {
    let ocr = functions::ocr(&task.ocr);
    let request = Request { media_type: Some(task.media_type), ocr, structure: true, ..Request::default() };
    extraction::extract_text(source, request)
}

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

/// Runs OCR on the pages of `task`, as many as fit into a slice.
fn recognize(source: &Source, task: Task) -> Result<Recognized, ExtractError> {
    let task = OcrTask {
        media_type: Some(task.media_type),
        pages: task.pages,
        is_forced: task.ocr == "force",
        language: task.language,
        slice: OCR_SLICE,
        spent: Duration::try_from_secs_f32(task.worked_seconds).unwrap_or_default(),
    };
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

fn answer<T: Serialize>(outcome: Result<T, ExtractError>) -> Value {
    match outcome.map(serde_json::to_value) {
        Ok(Ok(json)) => json,
        Ok(Err(error)) => error!("the result of the worker cannot be written as JSON: {error}"),
        Err(error) => failure(error.code(), &message(&error), error.is_transient()),
    }
}

fn failure(code: &str, message: &str, transient: bool) -> Value {
    json!({ "error": { "code": code, "message": message, "transient": transient } })
}

/// Returns what the document's owner may see. Paths and errors of the host are only in the server's log.
fn message(error: &ExtractError) -> String {
    if error.is_transient() {
        warning!("extraction failed: {error}");
        return "Extraction is unavailable at the moment".to_owned();
    }
    error.to_string()
}
