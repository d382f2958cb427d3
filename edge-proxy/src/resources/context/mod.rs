//! A session's context: read with its version, saved against an expected version, and its history.

pub(crate) mod versions;

use crate::app::App;
use crate::auth::Claims;
use crate::db::DbError;
use crate::http::{ApiError, Id, Json, NoKeys, Problem, Query, json, not_found, unless_known};
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

/// A session without a context has version 0, which the first save may expect.
const READ: &str = "select coalesce(dossier.context_record(c), '{\"text_context\": \"\", \"context_metadata\": {}, \
                    \"version\": 0, \"updated_at\": null, \"updated_by\": null}')::text, coalesce(c.version, 0) \
                    from dossier.sessions as s left join dossier.session_context as c on c.session_id = s.id \
                    where s.id = $1";
const SAVE: &str = "select dossier.context_record(c)::text, c.version \
                    from dossier.save_context(session_id => $1, text_context => $2, context_metadata => $3::jsonb, \
                    expected_version => $4, merge_metadata => $5) as c";

/// The body of `POST /api/sessions/{id}/context`. Keys that it omits stay as they are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewContext {
    #[serde(alias = "text")]
    text_context: Option<String>,
    #[serde(alias = "metadata")]
    context_metadata: Option<Box<RawValue>>,
    expected_version: Option<i32>,
    #[serde(default)]
    merge_metadata: bool,
}

/// `GET /api/sessions/{id}/context`.
pub(crate) async fn read(
    State(app): State<App>,
    claims: Claims,
    Id(session): Id,
    _: Query<NoKeys>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let rows = app.db.as_caller(&claims.caller).rows(READ, &[(&session, Type::UUID)]).await?;
    let row = rows.first().ok_or_else(|| not_found("session", session))?;
    Ok(unless_known(&headers, with_version(row)?))
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
    let expected = match new.expected_version {
        Some(version) => Some(version),
        None => if_match(&headers)?,
    };
    let params = [
        (&session as _, Type::UUID),
        (&new.text_context as _, Type::TEXT),
        (&metadata as _, Type::TEXT),
        (&expected as _, Type::INT4),
        (&new.merge_metadata as _, Type::BOOL),
    ];
    let rows = app.db.as_caller(&claims.caller).rows(SAVE, &params).await?;
    with_version(rows.first().ok_or(DbError::NoRow)?)
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

/// The version in `If-Match`, in the form of our `ETag`. `None` for `*` or without the header.
fn if_match(headers: &HeaderMap) -> Result<Option<i32>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let invalid = || {
        Problem::bad_request("If-Match is not a valid version")
            .hint("Send the ETag of the context as GET returns it.")
    };
    let tag = value.to_str().map_err(|_| invalid())?.trim();
    if tag == "*" {
        return Ok(None);
    }
    let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    tag.parse().map(Some).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_is_a_version() {
        let with = |value: &'static str| {
            if_match(&HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(value))]))
        };
        assert_eq!(if_match(&HeaderMap::new()), Ok(None));
        assert_eq!(with("*"), Ok(None));
        assert_eq!(with("\"3\""), Ok(Some(3)));
        assert_eq!(with("W/\"3\""), Ok(Some(3)));
        assert_eq!(with("0"), Ok(Some(0)));
        assert!(with("\"abc\"").is_err());
    }

    #[test]
    fn both_spellings_are_read_and_nothing_else() {
        let new: NewContext = serde_json::from_str(r#"{"text":"t","metadata":{"a":1}}"#).unwrap();
        assert_eq!(new.text_context.as_deref(), Some("t"));
        assert_eq!(new.context_metadata.unwrap().get(), r#"{"a":1}"#);
        assert!(serde_json::from_str::<NewContext>(r#"{"txet":"t"}"#).is_err());
    }
}
