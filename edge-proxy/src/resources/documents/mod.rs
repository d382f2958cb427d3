//! Documents: listed, read, their text page by page, their bytes and thumbnails, read again by OCR, deleted.

mod content;
mod settled;
mod thumbnail;

pub(crate) use content::content;
pub(crate) use settled::until_settled;
pub(crate) use thumbnail::thumbnail;

use crate::app::App;
use crate::auth::Claims;
use crate::db::DbError;
use crate::http::{
    ApiError, Id, NoKeys, Paging, Problem, Query, behind_cursor, found, json, limit, not_found, numbered,
    page_json,
};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// SQL: a document as every answer has it, for alias `d`.
macro_rules! document_json {
    () => {
        "json_build_object('id', d.id, 'session_id', d.session_id, 'organization_id', d.organization_id, \
         'name', d.name, 'media_type', d.media_type, 'size_bytes', d.size_bytes, 'sha256', d.sha256, \
         'status', d.status, 'error_code', d.error_code, 'error_message', d.error_message, \
         'page_count', d.page_count, 'token_count', d.token_count, 'language', d.language, \
         'metadata', d.metadata, 'file_metadata', d.file_metadata, 'created_at', d.created_at, 'updated_at', d.updated_at)"
    };
}
pub(crate) use document_json;

/// Null when the session cannot be seen; only an empty list has to ask.
const LIST: &str = concat!(
    "with page as (select ",
    document_json!(),
    " as json, d.created_at, d.id from dossier.documents as d where d.session_id = $4 and ",
    behind_cursor!("d"),
    ") select case when count(*) > 0 or exists (select from dossier.sessions as s where s.id = $4) then ",
    page_json!("documents"),
    " end::text from (",
    numbered!(),
    ") as numbered"
);
const READ: &str = concat!("select ", document_json!(), "::text from dossier.documents as d where d.id = $1");
const PAGES: &str = "with page as (select p.* from dossier.document_pages as p \
                     where p.document_id = $1 and p.page > $2 order by p.page limit $3 + 1), \
                     numbered as (select *, row_number() over (order by page) as n, count(*) over () as total from page) \
                     select case when count(*) > 0 or exists (select from dossier.documents as d where d.id = $1) then \
                     json_build_object('pages', coalesce(json_agg(json_build_object('page', page, 'text', text, \
                     'source', source, 'confidence', confidence, 'engine', engine, 'quality', quality, \
                     'reason', reason, 'token_count', token_count) order by page) filter (where n <= $3), '[]'), \
                     'next', max(page) filter (where n = $3 and total > $3)) end::text from numbered";
const OCR: &str =
    concat!("select ", document_json!(), "::text from dossier.request_extraction($1, ocr => true) as d");
const DELETE: &str = "select dossier.delete_document($1)";

/// Which documents to list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    session_id: Option<Uuid>,
    limit: Option<i64>,
    after: Option<String>,
}

/// `GET /api/documents?session_id=`.
pub(crate) async fn list(
    State(app): State<App>,
    claims: Claims,
    Query(list): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let session = list.session_id.ok_or_else(|| {
        Problem::bad_request("session_id is missing").hint("GET /api/documents?session_id=…")
    })?;
    let page = Paging { limit: list.limit, after: list.after }.check()?;
    let (micros, id) = page.after.unzip();
    let params = [
        (&micros as _, Type::INT8),
        (&id as _, Type::UUID),
        (&page.limit as _, Type::INT8),
        (&session as _, Type::UUID),
    ];
    let documents = app
        .db
        .json(&claims.caller, LIST, &params)
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    found(documents, "session not found")
}

/// `GET /api/documents/{id}`.
pub(crate) async fn read(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let document = app
        .db
        .json(&claims.caller, READ, &[(&id, Type::UUID)])
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    found(document, "document not found")
}

/// Which pages of text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PagesQuery {
    limit: Option<i64>,
    /// The last page seen.
    after: Option<i32>,
}

/// `GET /api/documents/{id}/pages`.
pub(crate) async fn pages(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    Query(query): Query<PagesQuery>,
) -> Result<Response, ApiError> {
    let (after, limit) = (query.after.unwrap_or(0), limit(query.limit)?);
    let params = [(&id as _, Type::UUID), (&after as _, Type::INT4), (&limit as _, Type::INT8)];
    let pages = app
        .db
        .json(&claims.caller, PAGES, &params)
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    found(pages, "document not found")
}

/// `POST /api/documents/{id}/ocr`: every page is read again, by OCR. The text there is stays until then.
pub(crate) async fn ocr(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let document = app
        .db
        .json(&claims.caller, OCR, &[(&id, Type::UUID)])
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?
        .ok_or(DbError::NoRow)?;
    Ok(json(StatusCode::ACCEPTED, document))
}

/// `DELETE /api/documents/{id}`.
pub(crate) async fn delete(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let rows = app
        .db
        .rows(&claims.caller, DELETE, &[(&id, Type::UUID)])
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    match crate::db::first(&rows)? {
        Some(true) => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => Err(not_found("document not found")),
    }
}
