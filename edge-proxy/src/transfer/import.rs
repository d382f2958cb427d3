//! `POST /api/import`: a bundle, read whole and passed to `dossier.import_sessions`.
//!
//! Invariant: so that bundles do not fill the memory, two at most are read at once; whoever comes then waits.

use crate::app::App;
use crate::auth::Claims;
use crate::db::DbError;
use crate::error::{ApiError, Problem};
use crate::request::{Query, json, read_json};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_postgres::types::Type;
use uuid::Uuid;

const IMPORT: &str =
    "select dossier.import_sessions(bundle => $1::jsonb, organization_id => $2, keep_ids => $3)::text";

/// What SQL takes (`dossier_private.bundle_bytes()`).
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// A full bundle of small pages is written in a quarter of a minute.
const TIMEOUT: Duration = Duration::from_mins(2);
/// For the body: nobody keeps a place for long by sending slowly.
const PATIENCE: Duration = Duration::from_mins(1);

static PLACES: Semaphore = Semaphore::const_new(2);

/// Where to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    organization_id: Option<Uuid>,
    #[serde(default)]
    keep_ids: bool,
}

/// `POST /api/import?organization_id=…[&keep_ids=true]`.
pub(crate) async fn import(
    State(app): State<App>,
    claims: Claims,
    Query(target): Query<Target>,
    body: Body,
) -> Result<Response, ApiError> {
    let organization = target.organization_id.ok_or_else(|| {
        Problem::bad_request("organization_id is missing").hint("POST /api/import?organization_id=…")
    })?;
    let _place = PLACES.acquire().await.map_err(ApiError::internal)?;
    let bundle = timeout(PATIENCE, read_json(body, MAX_BYTES)).await.map_err(|_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "the bundle did not arrive in time")
            .hint("Send it faster, or fewer sessions at once.")
    })??;
    let params =
        [(&bundle as _, Type::TEXT), (&organization as _, Type::UUID), (&target.keep_ids as _, Type::BOOL)];
    let connection = app.db.dedicated().await?;
    let rows = connection
        .rows(TIMEOUT, &claims.caller, IMPORT, &params)
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    Ok(json(StatusCode::CREATED, crate::db::first(&rows)?.ok_or(DbError::NoRow)?))
}
