//! A session's context: read with its version, saved against an expected version, and its history.

pub(crate) mod versions;

use crate::app::App;
use crate::auth::Claims;
use crate::db::{Caller, DbError, Param};
use crate::http::{ApiError, Id, Json, NoKeys, Preconditions, Problem, Query, json, not_found};
use crate::openapi::records::{ContextItem, Metadata};
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use utoipa::ToSchema;
use uuid::Uuid;

/// A session without a context has version 0, which the first save may expect.
const READ: &str = "select coalesce(dossier.context_record(c), '{\"text_context\": \"\", \"context_metadata\": {}, \
                    \"version\": 0, \"updated_at\": null, \"updated_by\": null}')::text, coalesce(c.version, 0) \
                    from dossier.sessions as s left join dossier.session_context as c on c.session_id = s.id \
                    where s.id = $1";
const SAVE: &str = "select dossier.context_record(c)::text, c.version \
                    from dossier.save_context(session_id => $1, text_context => $2, context_metadata => $3::jsonb, \
                    merge_metadata => $4, expected_version => $5) as c";
/// The current version of a session that the caller can see; 0 without a context.
const VERSION: &str = "select coalesce(c.version, 0) from dossier.sessions as s \
                       left join dossier.session_context as c on c.session_id = s.id where s.id = $1";

/// How often a save under preconditions is tried again after another one has come between.
const ATTEMPTS: usize = 10;

/// How many bytes of texts and metadata the response to many saves contains. A save of metadata alone also returns the text.
const SAVED_BYTES: i64 = 4 * 1024 * 1024;
/// Without any texts and metadata if they are more. The response cannot be refused: they are saved.
const SAVE_MANY: &str = "select json_build_object('contexts', json_agg(jsonb_build_object('session_id', s.session_id) || case \
                         when s.bytes <= $2 then dossier.context_record(s.context) else jsonb_build_object( \
                         'version', s.version, 'updated_at', s.updated_at, 'updated_by', s.updated_by) end order by s.n))::text \
                         from (select c.*, c as context, row_number() over () as n, sum(octet_length(c.text_context) \
                         + octet_length(c.context_metadata::text)) over () as bytes \
                         from dossier.save_contexts($1::jsonb) as c) as s";

/// The body of `POST /api/contexts`. SQL checks the items.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewContexts {
    #[schema(value_type = Vec<ContextItem>, min_items = 1, max_items = 1000)]
    items: Box<RawValue>,
}

/// The body of `POST /api/sessions/{id}/context`. Keys that it omits stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewContext {
    #[serde(alias = "text")]
    text_context: Option<String>,
    #[serde(alias = "metadata")]
    #[schema(value_type = Option<Metadata>)]
    context_metadata: Option<Box<RawValue>>,
    /// The version that the change is based on. 0: there must be no context yet.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    expected_version: Option<i32>,
    /// Whether the metadata is a JSON merge patch: members are added or replaced, and null removes one.
    #[serde(default)]
    merge_metadata: bool,
}

/// `GET /api/sessions/{id}/context`.
pub(crate) async fn read(
    State(app): State<App>,
    claims: Claims,
    Id(session): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let rows = app.db.as_caller(&claims.caller).rows(READ, &[(&session, Type::UUID)]).await?;
    let row = rows.first().ok_or_else(|| not_found("session", session))?;
    with_version(row)
}

/// `POST /api/sessions/{id}/context`.
pub(crate) async fn save(
    State(app): State<App>,
    claims: Claims,
    Id(session): Id,
    _: Query<NoKeys>,
    headers: HeaderMap,
    Json(new): Json<NewContext>,
) -> Result<Response, ApiError> {
    let metadata = new.context_metadata.as_ref().map(|metadata| metadata.get());
    let params = [
        (&session as _, Type::UUID),
        (&new.text_context as _, Type::TEXT),
        (&metadata as _, Type::TEXT),
        (&new.merge_metadata as _, Type::BOOL),
    ];
    save_under(&app, &claims.caller, session, &headers, SAVE, &params, new.expected_version).await
}

/// Runs a statement that saves the context of a session, if the preconditions in `headers` allow it. Its last parameter,
/// which follows `params`, is the expected version: `expected`, or the one for which the preconditions were evaluated.
async fn save_under(
    app: &App,
    caller: &Caller,
    session: Uuid,
    headers: &HeaderMap,
    sql: &str,
    params: &[Param<'_>],
    expected: Option<i32>,
) -> Result<Response, ApiError> {
    let preconditions = Preconditions::from_headers(headers);
    let db = app.db.as_caller(caller);
    for _ in 0..ATTEMPTS {
        let mut condition = expected;
        if !preconditions.is_empty() {
            let rows = db.rows(VERSION, &[(&session, Type::UUID)]).await?;
            let row = rows.first().ok_or_else(|| not_found("session", session))?;
            let current: i32 = row.try_get(0).map_err(DbError::from)?;
            if !preconditions.allow(&current.to_string(), current > 0) {
                return Err(unmet(current).into());
            }
            condition = expected.or(Some(current));
        }
        let params: Vec<_> = params.iter().cloned().chain([(&condition as _, Type::INT4)]).collect();
        match db.rows(sql, &params).await {
            // Another save came after the preconditions were evaluated. They may still hold.
            Err(ApiError::Refused(problem)) if problem.code == "PT409" && condition != expected => {}
            saved => return with_version(saved?.first().ok_or(DbError::NoRow)?),
        }
    }
    Err(Problem::new(StatusCode::CONFLICT, "Other saves kept coming in between")
        .hint("Send the request again.")
        .into())
}

fn unmet(current: i32) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "The context has changed since you read it")
        .details(format!("{{\"current_version\": {current}}}"))
        .hint("Read the context again, apply your change to it, and retry with its ETag.")
}

/// `POST /api/contexts`: saves the contexts of several sessions, all or none.
pub(crate) async fn save_many(
    State(app): State<App>,
    claims: Claims,
    _: Query<NoKeys>,
    Json(new): Json<NewContexts>,
) -> Result<Response, ApiError> {
    let items = new.items.get();
    let saved = app
        .db
        .as_caller(&claims.caller.long())
        .one(SAVE_MANY, &[(&items, Type::TEXT), (&SAVED_BYTES, Type::INT8)])
        .await?;
    Ok(json(StatusCode::OK, saved))
}

/// The context in the first column, with the version in the second as its `ETag`.
fn with_version(row: &Row) -> Result<Response, ApiError> {
    let body: String = row.try_get(0).map_err(DbError::from)?;
    let version: i32 = row.try_get(1).map_err(DbError::from)?;
    let mut response = json(StatusCode::OK, body);
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_read_and_nothing_else() {
        let new: NewContext = serde_json::from_str(r#"{"text":"t","metadata":{"a":1}}"#).unwrap();
        assert_eq!(new.text_context.as_deref(), Some("t"));
        assert_eq!(new.context_metadata.unwrap().get(), r#"{"a":1}"#);
        assert!(serde_json::from_str::<NewContext>(r#"{"txet":"t"}"#).is_err());
    }
}
