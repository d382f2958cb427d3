//! Versions of a session's context: listed, read, compared and restored.

use super::{save_under, with_version};
use crate::app::App;
use crate::auth::Claims;
use crate::db::DbError;
use crate::http::{ApiError, Id, Json, NoKeys, Number, Problem, Query, found, json};
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tokio_postgres::types::Type;
use utoipa::{IntoParams, ToSchema};

/// Null if the session is not visible. Only an empty list has to ask.
const LIST: &str = "with page as (select * from dossier.context_history($1, $2, coalesce($3, 20))) \
                    select case when count(*) > 0 or exists (select from dossier.sessions as s where s.id = $1) then \
                    json_build_object('versions', coalesce(json_agg(json_build_object('version', p.version, \
                    'updated_at', p.updated_at, 'updated_by', p.updated_by, 'text_changed', p.text_changed, \
                    'metadata_changed', p.metadata_changed, 'text_bytes', p.text_bytes, 'text_start', p.text_start) \
                    order by p.version desc), '[]'), 'next', (select max(v.version) + 1 \
                    from dossier.session_context_versions as v where v.session_id = $1 \
                    and v.version < (select min(version) from page))) end::text from page as p";
const READ: &str = "select dossier.context_version_record(v)::text, v.version from dossier.read_context_version($1, $2) as v";
const DIFF: &str = "with compared as ( \
                      select row_number() over () as n, d.* from dossier.diff_context($1, $2, $3, coalesce($4, 3)) as d \
                    ) \
                    select json_build_object('from', $2, 'to', coalesce($3, \
                      (select c.version from dossier.session_context as c where c.session_id = $1)), \
                      'changes', coalesce(json_agg(json_build_object('part', part, 'hunk', hunk, 'change', change, \
                        'from_line', from_line, 'to_line', to_line, 'line', line) order by n), '[]'))::text \
                    from compared";
const RESTORE: &str = "select dossier.context_record(c)::text, c.version \
                       from dossier.restore_context(session_id => $1, version => $2, expected_version => $3) as c";

/// The query of `GET /api/sessions/{id}/context/versions`: those before `after`, newest first.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ListQuery {
    /// How many rows at most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i32>,
    /// The `next` of the previous page.
    #[param(maximum = 2_147_483_647)]
    after: Option<i32>,
}

/// The query of `GET /api/sessions/{id}/context/diff`. `to` is the current version by default.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct DiffQuery {
    /// The earlier version. 0 is the empty context before the first.
    #[param(required, minimum = 0, maximum = 2_147_483_647)]
    from: Option<i32>,
    /// The later version: by default the current one.
    #[param(minimum = 0, maximum = 2_147_483_647)]
    to: Option<i32>,
    /// How many lines to return around each change.
    #[param(minimum = 0, maximum = 1000, default = 3)]
    context_lines: Option<i32>,
}

/// The body of `POST /api/sessions/{id}/context/restore`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restore {
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    version: i32,
    /// The version that is the current one. 0: there must be no context yet.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
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

/// `GET /api/sessions/{id}/context/versions/{n}`.
pub(crate) async fn read(
    State(app): State<App>,
    claims: Claims,
    Id(session): Id,
    Number(version): Number,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let params = [(&session as _, Type::UUID), (&version as _, Type::INT4)];
    let rows = app.db.as_caller(&claims.caller).rows(READ, &params).await?;
    with_version(rows.first().ok_or(DbError::NoRow)?)
}

/// `GET /api/sessions/{id}/context/diff`.
pub(crate) async fn diff(
    State(app): State<App>,
    claims: Claims,
    Id(session): Id,
    Query(query): Query<DiffQuery>,
) -> Result<Response, ApiError> {
    let from = query.from.ok_or_else(|| {
        Problem::bad_request("The query parameter from is missing")
            .hint("Send the number of an earlier version, or 0 for the empty context before the first.")
    })?;
    let params = [
        (&session as _, Type::UUID),
        (&from as _, Type::INT4),
        (&query.to as _, Type::INT4),
        (&query.context_lines as _, Type::INT4),
    ];
    Ok(json(StatusCode::OK, app.db.as_caller(&claims.caller.long()).one(DIFF, &params).await?))
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
    let params = [(&session as _, Type::UUID), (&restore.version as _, Type::INT4)];
    save_under(&app, &claims.caller, session, &headers, RESTORE, &params, restore.expected_version).await
}
