//! The client of a staged import: records wait in the database until the last one has arrived, and are then written in one
//! transaction.
//!
//! Invariant: no connection is held between the steps. An import that is dropped unfinished is aborted.

use super::lines::Source;
use crate::app::App;
use crate::db::{Caller, DbError, Durability, Statement};
use crate::fair::Place;
use crate::http::{ApiError, Chain, Problem, Scarce, too_deep};
use http::StatusCode;
use serde::de::IgnoredAny;
use std::time::Duration;
use tokio_postgres::types::Type;
use uuid::Uuid;

const BEGIN: &str = "select dossier.begin_import(organization_id => $1, keep_ids => $2)";
const APPEND: &str =
    "select dossier.append_import(import_id => $1, first_line => $2, records => $3::jsonb)::text";
const FINISH: &str = "select dossier.finish_import($1)::text";
const ABORT: &str = "select dossier.abort_import($1)";

/// A batch is appended when it has as many bytes or lines: enough to be worth a transaction.
const BATCH_BYTES: usize = 512 * 1024;
const BATCH_LINES: usize = 1000;
/// Seconds after which an import that was refused for others may be tried again.
const TRY_AGAIN: u64 = 30;
/// A gigabyte of small pages takes several minutes to write.
const TIMEOUT: Duration = Duration::from_mins(15);

/// An import that has begun.
pub(super) struct ImportClient {
    app: App,
    caller: Caller,
    id: Uuid,
    open: bool,
    /// The number of the next line.
    line: i32,
}

impl ImportClient {
    /// Begins an import. Callers that may not import are refused before a record is read.
    pub(super) async fn begin(
        app: &App,
        caller: &Caller,
        organization: Uuid,
        keep_ids: bool,
    ) -> Result<Self, ApiError> {
        let params = [(&organization as _, Type::UUID), (&keep_ids as _, Type::BOOL)];
        let rows = app.db.as_caller(caller).rows(BEGIN, &params).await.map_err(after_another)?;
        let id = crate::db::first(&rows)?.ok_or(DbError::NoRow)?;
        Ok(Self { app: app.clone(), caller: caller.long(), id, open: true, line: 1 })
    }

    /// Appends every line, in batches.
    pub(super) async fn receive(&mut self, mut source: impl Source) -> Result<(), ApiError> {
        let mut batch = Batch::default();
        while let Some(line) = source.next().await? {
            let number = self.line + i32::try_from(batch.lines).unwrap_or(i32::MAX);
            batch.add(&checked(number, line)?);
            if batch.is_full() {
                self.append(std::mem::take(&mut batch)).await?;
            }
        }
        if batch.lines > 0 { self.append(batch).await } else { Ok(()) }
    }

    async fn append(&mut self, batch: Batch) -> Result<(), ApiError> {
        let (records, count) = (format!("[{}]", batch.text), batch.lines);
        let params =
            [(&self.id as _, Type::UUID), (&self.line as _, Type::INT4), (&records as _, Type::TEXT)];
        // A crash may lose this. It was not imported anyway.
        let append = Statement { sql: APPEND, params: &params };
        self.app.db.in_order(Durability::WithTheNext, &self.caller, &[append]).await?;
        self.line += i32::try_from(count).unwrap_or(i32::MAX);
        Ok(())
    }

    /// Ends an import of which nothing is written.
    pub(super) async fn abort(mut self) {
        self.open = false;
        abort(&self.app, &self.caller, self.id).await;
    }

    /// Writes the staged records. Returns the old and the new ids as JSON.
    pub(super) async fn finish(mut self) -> Result<String, ApiError> {
        let _place = writer(&self.app, &self.caller).await?;
        let connection = self.app.db.dedicated().await?;
        let rows = connection.rows(TIMEOUT, &self.caller, FINISH, &[(&self.id, Type::UUID)]).await?;
        self.open = false;
        Ok(crate::db::first(&rows)?.ok_or(DbError::NoRow)?)
    }
}

impl Drop for ImportClient {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let (app, caller, id) = (self.app.clone(), self.caller.clone(), self.id);
        self.app.tasks.spawn(async move { abort(&app, &caller, id).await });
    }
}

/// A user has too many open imports. Unlike a daily quota, that has an end when one of them ends.
fn after_another(error: ApiError) -> ApiError {
    match error {
        ApiError::Refused(mut problem) if problem.status == StatusCode::TOO_MANY_REQUESTS => {
            problem.retry_after.get_or_insert(TRY_AGAIN);
            ApiError::Refused(problem)
        }
        error => error,
    }
}

async fn abort(app: &App, caller: &Caller, id: Uuid) {
    if let Err(error) = app.db.rows(caller, ABORT, &[(&id, Type::UUID)]).await {
        tracing::warn!(import.id = %id, "aborting import {id} failed, the sweeper will do it: {}", Chain(&error));
    }
}

const WRITERS: Scarce = Scarce {
    name: "imports",
    total: "IMPORT_CONNECTIONS",
    per_user: "IMPORT_CONNECTIONS",
    per_organization: "IMPORT_CONNECTIONS",
};

/// The right to write a complete bundle. Everything has arrived, so waiting for it keeps nobody else waiting.
pub(super) async fn writer(app: &App, caller: &Caller) -> Result<Place, Problem> {
    app.import_writers.take(&app.db.party(caller), TIMEOUT).await.map_err(|full| WRITERS.refuse(&full))
}

/// Records that are appended by one statement.
#[derive(Default)]
struct Batch {
    text: String,
    lines: usize,
}

impl Batch {
    fn add(&mut self, record: &str) {
        if self.lines > 0 {
            self.text.push(',');
        }
        self.text.push_str(record);
        self.lines += 1;
    }

    fn is_full(&self) -> bool {
        self.text.len() >= BATCH_BYTES || self.lines >= BATCH_LINES
    }
}

/// A line that is exactly one JSON value, so that it cannot pass for two records of a batch.
fn checked(number: i32, line: Vec<u8>) -> Result<String, Problem> {
    let refused = |why: String| {
        Problem::bad_request(format!("Line {number} is {why}"))
            .hint("Send the records of an NDJSON export unchanged, one per line.")
    };
    if too_deep(&line) {
        return Err(refused("nested too deeply".to_owned()));
    }
    let line = String::from_utf8(line).map_err(|error| refused(format!("not valid UTF-8: {error}")))?;
    serde_json::from_str::<IgnoredAny>(&line).map_err(|error| refused(format!("not valid JSON: {error}")))?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_exactly_one_value() {
        let check = |line: &str| checked(7, line.as_bytes().to_vec()).map_err(|problem| problem.message);
        assert!(check(r#"{"type": "page"}"#).is_ok());
        for wrong in ["", "{", "{},{}", "{}]", &"[".repeat(600)] {
            assert!(check(wrong).unwrap_err().starts_with("Line 7 is n"), "{wrong:.20}");
        }
        assert!(checked(7, vec![b'"', 0xff, b'"']).is_err());
    }
}
