//! The trash: sessions are moved into it, restored from it, or deleted permanently.

use super::READ;
use super::list::{BEFORE, page_sql};
use crate::app::App;
use crate::auth::Claims;
use crate::db::{DbError, Statement, first};
use crate::http::{ApiError, Id, NoKeys, Query, json, not_found};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use std::sync::LazyLock;
use tokio_postgres::types::Type;
use utoipa::IntoParams;

const DELETE: &str = "select count(*) > 0 from dossier.delete_sessions(array[$1], permanently => $2)";
const RESTORE: &str = "select from dossier.restore_session($1)";
/// What `GET /api/sessions?deleted=true` returns. Its cursor is the time of deletion; other lists use that of creation.
pub(super) static LIST: LazyLock<String> = LazyLock::new(|| {
    let rows = format!(
        "select json_build_object('id', s.id, 'organization_id', s.organization_id, 'user_id', s.user_id, \
           'title', s.title, 'conversation_type', s.conversation_type, 'deleted_at', s.deleted_at, \
           'deleted_by', s.deleted_by, 'purge_at', s.purge_at) as json, \
           s.deleted_at as created_at, s.id \
         from dossier.deleted_sessions(limit_count => $3::integer + 1, before => {BEFORE}, before_id => $2, \
           organization_id => $4) as s"
    );
    page_sql("sessions", &rows, "true")
});

/// The query of `DELETE /api/sessions/{id}`. `permanently` bypasses the trash.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct DeleteQuery {
    /// Bypass the trash.
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
    let params = [(&id as _, Type::UUID), (&query.permanently as _, Type::BOOL)];
    let rows = app.db.as_caller(&claims.caller.long()).rows(DELETE, &params).await?;
    match first(&rows)? {
        Some(true) => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => Err(not_found("session", id)),
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
    let session = app.db.as_caller(&claims.caller).in_order(&[restore, read]).await?;
    Ok(json(StatusCode::OK, session.ok_or(DbError::NoRow)?))
}
