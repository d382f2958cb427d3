//! The database reads the file: one statement, on a connection of its own, cancelled when the job must stop.

use super::{Job, JobError};
use crate::app::App;
use crate::db::{Caller, first};
use std::pin::pin;
use std::time::Duration;
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;

const RUN: &str = "select dossier.run_job($1, $2)";

/// The database has its own deadlines (`dossier.extract_timeout`, `dossier.ocr_timeout`, at most an hour each);
/// this one is for when they fail.
const LONGEST: Duration = Duration::from_hours(3);
/// What a cancelled statement gets to say how it ended.
const LAST_WORD: Duration = Duration::from_secs(5);

/// What became of the job, which the statement itself has written down, good or bad.
pub(super) async fn run(
    app: &App,
    job: &Job,
    hurry: &CancellationToken,
    lost: &CancellationToken,
) -> Result<String, JobError> {
    let connection = app.db.dedicated().await?;
    let params = [(&job.id as _, Type::INT8), (&job.attempt as _, Type::INT4)];
    let service = Caller::service();
    let mut rows = pin!(connection.rows(LONGEST, &service, RUN, &params));
    let stopped = tokio::select! {
        biased;
        rows = &mut rows => return first(&rows?)?.ok_or(JobError::Lost),
        () = hurry.cancelled() => JobError::Stopped,
        () = lost.cancelled() => JobError::Lost,
    };
    connection.cancel().await;
    // A lease also ends because the statement has just done its work.
    match tokio::time::timeout(LAST_WORD, rows).await {
        Ok(Ok(rows)) => first(&rows)?.ok_or(stopped),
        _ => Err(stopped),
    }
}
