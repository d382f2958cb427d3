//! Extraction in the database: one transaction on a connection of the worker's own, cancelled if the job must stop. Its `call`
//! holds no snapshot while the worker reads (`dossier.run_job`).
//!
//! Invariant: a connection whose statement was cancelled or failed is not used for another job. So a late cancel cannot
//! hit anything else.

use super::{Job, JobError};
use crate::app::App;
use crate::db::{Caller, Dedicated, Statement, first};
use std::pin::pin;
use std::time::Duration;
use tokio_postgres::types::Type;
use tokio_util::sync::CancellationToken;

const RUN: &str = "call dossier.run_job($1, $2)";
const OUTCOME: &str = "select dossier.job_outcome($1, $2)";

/// The database has its own deadlines (`dossier.extract_timeout`, `dossier.ocr_timeout`, at most an hour each). This one
/// applies if they fail.
const LONGEST: Duration = Duration::from_hours(3);
/// How long a cancelled statement may take to return.
const CANCEL_TIME: Duration = Duration::from_secs(5);

/// Runs the job and returns the resulting status. The procedure itself records success or failure. `kept`: the worker's
/// connection from its previous job, which is warm.
pub(super) async fn run(
    app: &App,
    kept: &mut Option<Dedicated>,
    job: &Job,
    hurry: &CancellationToken,
    lost: &CancellationToken,
) -> Result<String, JobError> {
    let connection = match kept.take().filter(Dedicated::is_open) {
        Some(connection) => connection,
        None => app.db.dedicated().await?,
    };
    let params = [(&job.id as _, Type::INT8), (&job.attempt as _, Type::INT4)];
    let service = Caller::service();
    let statements = [RUN, OUTCOME].map(|sql| Statement { sql, params: &params });
    let status = {
        let mut rows = pin!(connection.in_order(LONGEST, &service, &statements));
        let ended = tokio::select! {
            biased;
            rows = &mut rows => Ok(first(&rows?)?),
            () = hurry.cancelled() => Err(JobError::Stopped),
            () = lost.cancelled() => Err(JobError::Lost),
        };
        match ended {
            Ok(status) => status,
            Err(why) => {
                connection.cancel().await;
                // A lease also ends because the statement has just finished.
                return match tokio::time::timeout(CANCEL_TIME, rows).await {
                    Ok(Ok(rows)) => first(&rows)?.ok_or(why),
                    _ => Err(why),
                };
            }
        }
    };
    *kept = Some(connection);
    status.ok_or(JobError::Lost)
}
