//! Sessions: made with their first context, listed, read, changed, deleted, restored.

mod trash;

pub(crate) use trash::{delete, restore};

use crate::app::App;
use crate::auth::Claims;
use crate::db::{DbError, Durability, Statement};
use crate::http::{ApiError, Id, Json, NoKeys, Paging, Query, found, json, numbered, page_json};
use crate::resources::context::context_json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// SQL: the keys that every session answer has, for alias `s`.
macro_rules! session_fields {
    () => {
        "'id', s.id, 'organization_id', s.organization_id, 'user_id', s.user_id, 'title', s.title, \
         'conversation_type', s.conversation_type, 'status', s.status, 'created_at', s.created_at, \
         'updated_at', s.updated_at"
    };
}

/// SQL: one session with its context (or null), up to its id. The trash has its own answers, for services too,
/// whom no policy binds.
macro_rules! session_with_context {
    () => {
        concat!(
            "select json_build_object(",
            session_fields!(),
            ", 'context', (select ",
            context_json!(),
            " from dossier.session_context as c where c.session_id = s.id))::text from dossier.sessions as s \
             where s.deleted_at is null and s.id = "
        )
    };
}

/// Leaves the new id where the next statement finds it; only a statement after this one sees its rows.
const CREATE: &str = "select set_config('dossier_edge.session_id', (dossier.create_session(title => $1, \
                      conversation_type => coalesce($2, 'meeting'), organization_id => $3, \
                      context => $4::jsonb)).id::text, true)";
const CREATED: &str = concat!(session_with_context!(), "current_setting('dossier_edge.session_id')::uuid");
const UPDATE: &str = "select from dossier.update_session($1, $2::text::jsonb)";
const READ: &str = concat!(session_with_context!(), "$1");
const LIST: &str = concat!(
    "with page as (select json_build_object(",
    session_fields!(),
    ") as json, s.created_at, s.id from dossier.list_sessions(limit_count => ($3 + 1)::integer, \
     before => 'epoch'::timestamptz + $1 * interval '1 microsecond', before_id => $2) as s) select ",
    page_json!("sessions"),
    "::text from (",
    numbered!(),
    ") as numbered"
);

/// The body of `POST /api/sessions`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSession {
    title: Option<String>,
    conversation_type: Option<String>,
    organization_id: Option<Uuid>,
    context: Option<Box<RawValue>>,
}

/// `POST /api/sessions`.
pub(crate) async fn create(
    State(app): State<App>,
    claims: Claims,
    Json(new): Json<NewSession>,
) -> Result<Response, ApiError> {
    let context = new.context.as_ref().map(|context| context.get());
    let create = Statement {
        sql: CREATE,
        params: &[
            (&new.title, Type::TEXT),
            (&new.conversation_type, Type::TEXT),
            (&new.organization_id, Type::UUID),
            (&context, Type::TEXT),
        ],
    };
    let read = Statement { sql: CREATED, params: &[] };
    let rows = app
        .db
        .in_order(Durability::Now, &claims.caller, &[create, read])
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    let session = crate::db::first(&rows)?.ok_or(DbError::NoRow)?;
    Ok(json(StatusCode::CREATED, session))
}

/// Which sessions to list: those that are there, or those in the trash.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    #[serde(default)]
    deleted: bool,
    limit: Option<i64>,
    after: Option<String>,
}

/// `GET /api/sessions`.
pub(crate) async fn list(
    State(app): State<App>,
    claims: Claims,
    Query(list): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let page = Paging { limit: list.limit, after: list.after }.check()?;
    if list.deleted {
        return trash::list(&app, &claims, page).await;
    }
    let (micros, id) = page.after.unzip();
    let params = [(&micros as _, Type::INT8), (&id as _, Type::UUID), (&page.limit as _, Type::INT8)];
    let sessions = app
        .db
        .json(&claims.caller, LIST, &params)
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    found(sessions, "no sessions")
}

/// `GET /api/sessions/{id}`.
pub(crate) async fn read(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let session = app
        .db
        .json(&claims.caller, READ, &[(&id, Type::UUID)])
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    found(session, "session not found")
}

/// `PATCH /api/sessions/{id}`: what is left out of the body stays; SQL says what it may hold.
pub(crate) async fn update(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
    Json(changes): Json<Box<RawValue>>,
) -> Result<Response, ApiError> {
    let changes = changes.get();
    let update = Statement { sql: UPDATE, params: &[(&id, Type::UUID), (&changes, Type::TEXT)] };
    let read = Statement { sql: READ, params: &[(&id, Type::UUID)] };
    let rows = app
        .db
        .in_order(Durability::Now, &claims.caller, &[update, read])
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    found(crate::db::first(&rows)?, "session not found")
}
