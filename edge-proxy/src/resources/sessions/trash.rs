//! Deleting sessions: into the trash, back out of it, or for good.

use super::READ;
use crate::app::App;
use crate::auth::Claims;
use crate::db::{DbError, Durability, Statement, first};
use crate::http::{ApiError, Id, NoKeys, Page, Query, found, json, not_found, numbered, page_json};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use tokio_postgres::types::Type;

const DELETE: &str = "select count(*) > 0 from dossier.delete_sessions(array[$1], permanently => $2)";
const RESTORE: &str = "select from dossier.restore_session($1)";
/// Its cursor is the time of deletion, where other lists have that of creation.
const LIST: &str = concat!(
    "with page as (select json_build_object('id', s.id, 'organization_id', s.organization_id, \
     'user_id', s.user_id, 'title', s.title, 'conversation_type', s.conversation_type, \
     'deleted_at', s.deleted_at, 'deleted_by', s.deleted_by, 'purge_at', s.purge_at) as json, \
     s.deleted_at as created_at, s.id from dossier.deleted_sessions(limit_count => $3::integer + 1, \
     before => 'epoch'::timestamptz + $1::bigint * interval '1 microsecond', before_id => $2) as s) select ",
    page_json!("sessions"),
    "::text from (",
    numbered!(),
    ") as numbered"
);

/// `?permanently=true` deletes for good.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteQuery {
    #[serde(default)]
    permanently: bool,
}

/// `DELETE /api/sessions/{id}`.
pub(crate) async fn delete(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    Query(query): Query<DeleteQuery>,
) -> Result<Response, ApiError> {
    let rows = app
        .db
        .rows(&claims.caller, DELETE, &[(&id, Type::UUID), (&query.permanently, Type::BOOL)])
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    match first(&rows)? {
        Some(true) => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => Err(not_found("session not found")),
    }
}

/// `POST /api/sessions/{id}/restore`: the session as it was.
pub(crate) async fn restore(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let params = [(&id as _, Type::UUID)];
    let restore = Statement { sql: RESTORE, params: &params };
    let read = Statement { sql: READ, params: &params };
    let rows = app
        .db
        .in_order(Durability::Now, &claims.caller, &[restore, read])
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    let session = first(&rows)?.ok_or(DbError::NoRow)?;
    Ok(json(StatusCode::OK, session))
}

/// What `GET /api/sessions?deleted=true` answers: last deleted first.
pub(super) async fn list(app: &App, claims: &Claims, page: Page) -> Result<Response, ApiError> {
    let (micros, id) = page.after.unzip();
    let params = [(&micros as _, Type::INT8), (&id as _, Type::UUID), (&page.limit as _, Type::INT8)];
    let sessions = app
        .db
        .json(&claims.caller, LIST, &params)
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    found(sessions, "no sessions")
}
