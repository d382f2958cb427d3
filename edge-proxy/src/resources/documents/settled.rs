//! `Prefer: wait=N`: the response waits until every document of the request is settled, or the time is over.

use crate::app::App;
use crate::auth::Claims;
use crate::http::{ApiError, Prefer};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_postgres::types::Type;
use uuid::Uuid;

const LATEST: &str = "select dossier.document_record(d)::text, d.status in ('ready', 'failed', 'unsupported') \
                      from dossier.documents as d where d.id = any($1) order by array_position($1, d.id)";

/// How often the state is read while notifications arrive, and while none can.
const POLL_LISTENING: Duration = Duration::from_secs(2);
const POLL_DEAF: Duration = Duration::from_millis(300);

#[derive(Deserialize)]
struct Identified {
    id: Uuid,
}

/// Replaces `documents` by their latest state, if the client prefers to wait.
pub(crate) async fn until_settled(
    app: &App,
    claims: &Claims,
    prefer: &Prefer,
    documents: &mut Vec<String>,
) -> Result<(), ApiError> {
    let Some(wait) = prefer.wait().filter(|_| !documents.is_empty()) else { return Ok(()) };
    let deadline = Instant::now() + wait;
    let ids = documents
        .iter()
        .map(|document| serde_json::from_str(document).map(|identified: Identified| identified.id))
        .collect::<Result<Vec<_>, _>>()
        .map_err(ApiError::internal)?;
    // Subscribe before the first read: otherwise a change between the two would be missed.
    let mut events = app.events.documents();
    loop {
        let rows = app.db.rows(&claims.caller, LATEST, &[(&ids, Type::UUID_ARRAY)]).await?;
        let mut settled = true;
        documents.clear();
        for row in &rows {
            documents.push(row.try_get(0).map_err(ApiError::internal)?);
            settled &= row.try_get::<_, bool>(1).map_err(ApiError::internal)?;
        }
        if settled || Instant::now() >= deadline {
            return Ok(());
        }
        let poll = Instant::now() + if app.events.listening() { POLL_LISTENING } else { POLL_DEAF };
        tokio::select! {
            () = events.settled(&ids) => {}
            () = sleep_until(poll.min(deadline)) => {}
        }
    }
}
