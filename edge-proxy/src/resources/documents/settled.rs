//! `Prefer: wait=N`: the response waits until every document of the request is settled, or the time is over.

use crate::app::App;
use crate::auth::Claims;
use crate::http::{ApiError, Prefer};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_postgres::types::Type;
use uuid::Uuid;

const LATEST: &str = "select d.id, dossier.document_record(d)::text, d.status in ('ready', 'failed', 'unsupported') \
                      from dossier.documents as d where d.id = any($1)";

/// How often the state is read while notifications arrive, and while none can.
const POLL_LISTENING: Duration = Duration::from_secs(2);
const POLL_DEAF: Duration = Duration::from_millis(300);

/// The latest states of the documents with these ids, by id, if the client prefers to wait. A document that is deleted
/// meanwhile, or hidden from the caller, is missing.
pub(crate) async fn until_settled(
    app: &App,
    claims: &Claims,
    prefer: &Prefer,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, String>, ApiError> {
    let Some(wait) = prefer.wait().filter(|_| !ids.is_empty()) else { return Ok(HashMap::new()) };
    let deadline = Instant::now() + wait;
    // Subscribe before the first read: otherwise a change between the two would be missed.
    let mut events = app.events.documents();
    loop {
        let rows = app.db.as_caller(&claims.caller).rows(LATEST, &[(&ids, Type::UUID_ARRAY)]).await?;
        let mut settled = true;
        let mut latest = HashMap::with_capacity(rows.len());
        for row in &rows {
            latest.insert(
                row.try_get(0).map_err(ApiError::internal)?,
                row.try_get(1).map_err(ApiError::internal)?,
            );
            settled &= row.try_get::<_, bool>(2).map_err(ApiError::internal)?;
        }
        if settled || Instant::now() >= deadline {
            return Ok(latest);
        }
        let poll = Instant::now() + if app.events.listening() { POLL_LISTENING } else { POLL_DEAF };
        tokio::select! {
            () = events.settled(ids) => {}
            () = sleep_until(poll.min(deadline)) => {}
        }
    }
}
