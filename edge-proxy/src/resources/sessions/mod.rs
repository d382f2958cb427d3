//! Sessions: created with their first context, listed, read, changed, deleted and restored.

mod trash;

pub(crate) use trash::{DeleteQuery, delete, restore};

use super::list::{self, BEFORE, page_sql};
use crate::app::App;
use crate::auth::Claims;
use crate::db::{DbError, Param, Statement};
use crate::http::{ApiError, Id, Json, NoKeys, Paging, Problem, Query, found, json};
use crate::openapi::records::{NewSessionContext, SessionStatus};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::LazyLock;
use tokio_postgres::types::Type;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

const CREATE: &str = "select dossier.create_session_record(title => $1, conversation_type => $2, \
                      organization_id => $3, context => $4::jsonb)::text";
const UPDATE: &str = "select from dossier.update_session($1, $2::text::jsonb)";
/// One session with its context. The trash has its own responses, also for services, which no policy restricts.
const READ: &str = "select dossier.session_record(s, with_context => true)::text \
                    from dossier.sessions as s where s.deleted_at is null and s.id = $1";
static LIST: LazyLock<String> = LazyLock::new(|| {
    let rows = format!(
        "select dossier.session_record(s) as json, s.created_at, s.id \
         from dossier.list_sessions(limit_count => ($3 + 1)::integer, before => {BEFORE}, before_id => $2, \
           organization_id => $4, status => $5, conversation_type => $6) as s"
    );
    page_sql("sessions", &rows, "true")
});

/// The body of `POST /api/sessions`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSession {
    #[schema(max_length = 500)]
    title: Option<String>,
    /// A registered type, such as `sales_call`, `interview`, `meeting` or `consultation`.
    conversation_type: Option<String>,
    /// Required if the caller can write in several organizations.
    organization_id: Option<Uuid>,
    #[schema(value_type = Option<NewSessionContext>)]
    context: Option<Box<RawValue>>,
}

/// `POST /api/sessions`.
pub(crate) async fn create(
    State(app): State<App>,
    claims: Claims,
    _: Query<NoKeys>,
    Json(new): Json<NewSession>,
) -> Result<Response, ApiError> {
    let context = new.context.as_ref().map(|context| context.get());
    let params = [
        (&new.title as _, Type::TEXT),
        (&new.conversation_type as _, Type::TEXT),
        (&new.organization_id as _, Type::UUID),
        (&context as _, Type::TEXT),
    ];
    Ok(json(StatusCode::CREATED, app.db.as_caller(&claims.caller).one(CREATE, &params).await?))
}

/// The query of `GET /api/sessions`. `deleted` lists the trash instead.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ListQuery {
    /// Only sessions of this organization.
    organization_id: Option<Uuid>,
    /// Only sessions with this status.
    #[param(inline, value_type = Option<SessionStatus>)]
    status: Option<String>,
    /// Only sessions of this type.
    conversation_type: Option<String>,
    /// List the trash instead. It has no other filter than `organization_id`.
    #[serde(default)]
    deleted: bool,
    /// How many rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// The `next` of the previous page.
    after: Option<String>,
}

/// `GET /api/sessions`.
pub(crate) async fn list(
    State(app): State<App>,
    claims: Claims,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let page = Paging { limit: query.limit, after: query.after }.check()?;
    let filters: [Param<'_>; 3] = [
        (&query.organization_id, Type::UUID),
        (&query.status, Type::TEXT),
        (&query.conversation_type, Type::TEXT),
    ];
    let sessions = if query.deleted {
        if query.status.is_some() || query.conversation_type.is_some() {
            return Err(Problem::bad_request("The trash is not filtered by status or conversation_type")
                .hint("With deleted=true send only organization_id, limit and after.")
                .into());
        }
        list::page(&app, &claims.caller, &trash::LIST, &page, &filters[..1]).await?
    } else {
        list::page(&app, &claims.caller, &LIST, &page, &filters).await?
    };
    Ok(json(StatusCode::OK, sessions.ok_or(DbError::NoRow)?))
}

/// `GET /api/sessions/{id}`.
pub(crate) async fn read(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    found(app.db.as_caller(&claims.caller).json(READ, &[(&id, Type::UUID)]).await?, "session", id)
}

/// `PATCH /api/sessions/{id}`: keys that the body omits stay as they are. SQL checks the others.
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
    found(app.db.as_caller(&claims.caller).in_order(&[update, read]).await?, "session", id)
}
