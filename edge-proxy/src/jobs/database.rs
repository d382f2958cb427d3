//! The database reads the file: one statement, on a connection of its own, cancelled when the job must stop.

use super::{Job, JobError};
use crate::app::App;
use crate::db::{Caller, first};
use std::time::Duration;
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;

const RUN: &str = "select dossier.run_job($1, $2)";

/// The database has its own deadlines (`dossier.extract_timeout`, `dossier.ocr_timeout`, at most an hour each);
/// this one is for when they fail.
const LONGEST: Duration = Duration::from_hours(3);

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
    let outcome = tokio::select! {
        rows = connection.rows(LONGEST, &service, RUN, &params) => Ok(rows?),
        () = hurry.cancelled() => Err(JobError::Stopped),
        () = lost.cancelled() => Err(JobError::Lost),
    };
    match outcome {
        Ok(rows) => first(&rows)?.ok_or(JobError::Lost),
        Err(error) => {
            connection.cancel().await;
            Err(error)
        }
    }
}
