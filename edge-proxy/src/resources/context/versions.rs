//! Versions of a session's context: listed and restored.

use super::{if_match, with_version};
use crate::app::App;
use crate::auth::Claims;
use crate::db::DbError;
use crate::http::{ApiError, Id, Json, NoKeys, Query, found};
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;
use tokio_postgres::types::Type;

/// Null if the session is not visible. Only an empty list has to ask.
const LIST: &str = "with page as (select * from dossier.context_history($1, $2, coalesce($3, 20))) \
                    select case when count(*) > 0 or exists (select from dossier.sessions as s where s.id = $1) then \
                    json_build_object('versions', coalesce(json_agg(json_build_object('version', p.version, \
                    'updated_at', p.updated_at, 'updated_by', p.updated_by, 'text_changed', p.text_changed, \
                    'metadata_changed', p.metadata_changed, 'text_bytes', p.text_bytes, 'text_start', p.text_start) \
                    order by p.version desc), '[]'), 'next', (select max(v.version) + 1 \
                    from dossier.session_context_versions as v where v.session_id = $1 \
                    and v.version < (select min(version) from page))) end::text from page as p";
const RESTORE: &str = "select dossier.context_record(c)::text, c.version \
                       from dossier.restore_context(session_id => $1, version => $2, expected_version => $3) as c";

/// The query of `GET /api/sessions/{id}/context/versions`: those before `after`, newest first.
#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    limit: Option<i32>,
    after: Option<i32>,
}

/// The body of `POST /api/sessions/{id}/context/restore`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restore {
    version: i32,
    expected_version: Option<i32>,
}

/// `GET /api/sessions/{id}/context/versions`.
pub(crate) async fn list(
    State(app): State<App>,
    claims: Claims,
    Id(session): Id,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let params =
        [(&session as _, Type::UUID), (&query.after as _, Type::INT4), (&query.limit as _, Type::INT4)];
    found(app.db.as_caller(&claims.caller).json(LIST, &params).await?, "session", session)
}

/// `POST /api/sessions/{id}/context/restore`.
pub(crate) async fn restore(
    State(app): State<App>,
    claims: Claims,
    Id(session): Id,
    _: Query<NoKeys>,
    headers: HeaderMap,
    Json(restore): Json<Restore>,
) -> Result<Response, ApiError> {
    let expected = match restore.expected_version {
        Some(version) => Some(version),
        None => if_match(&headers)?,
    };
    let params =
        [(&session as _, Type::UUID), (&restore.version as _, Type::INT4), (&expected as _, Type::INT4)];
    let rows = app.db.as_caller(&claims.caller).rows(RESTORE, &params).await?;
    with_version(rows.first().ok_or(DbError::NoRow)?)
}
