//! Documents: listed, read, their text by page, their bytes and thumbnails, extracted again by OCR, deleted.

mod content;
mod settled;
mod thumbnail;

pub(crate) use content::content;
pub(crate) use settled::until_settled;
pub(crate) use thumbnail::thumbnail;

use super::list::{self, BEFORE, page_sql};
use crate::app::App;
use crate::auth::Claims;
use crate::db::first;
use crate::http::{ApiError, Id, NoKeys, Paging, Problem, Query, found, json, limit, not_found};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use std::sync::LazyLock;
use tokio_postgres::types::Type;
use uuid::Uuid;

static LIST: LazyLock<String> = LazyLock::new(|| {
    let rows = format!(
        "select dossier.document_record(d) as json, d.created_at, d.id from dossier.documents as d \
         where d.session_id = $4 and ($1::bigint is null or (d.created_at, d.id) < ({BEFORE}, $2::uuid)) \
         order by d.created_at desc, d.id desc limit $3 + 1"
    );
    page_sql("documents", &rows, "exists (select from dossier.sessions as s where s.id = $4)")
});
const READ: &str = "select dossier.document_record(d)::text from dossier.documents as d where d.id = $1";
const PAGES: &str = "with page as ( \
                       select p.page, dossier.page_record(p) as json from dossier.document_pages as p \
                       where p.document_id = $1 and p.page > $2 order by p.page limit $3 + 1 \
                     ), numbered as ( \
                       select *, row_number() over (order by page) as n, count(*) over () as total from page \
                     ) \
                     select case when count(*) > 0 or exists (select from dossier.documents as d where d.id = $1) then \
                     json_build_object('pages', coalesce(json_agg(json order by page) filter (where n <= $3), '[]'), \
                     'next', max(page) filter (where n = $3 and total > $3)) end::text from numbered";
const OCR: &str =
    "select dossier.document_record(d)::text from dossier.request_extraction($1, ocr => true) as d";
const DELETE: &str = "select dossier.delete_document($1)";

/// The query of `GET /api/documents`.
#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    session_id: Option<Uuid>,
    limit: Option<i64>,
    after: Option<String>,
}

/// `GET /api/documents?session_id=`.
pub(crate) async fn list(
    State(app): State<App>,
    claims: Claims,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let session = query.session_id.ok_or_else(|| {
        Problem::bad_request("The query parameter session_id is missing")
            .hint("Request GET /api/documents?session_id=… with the id of a session.")
    })?;
    let page = Paging { limit: query.limit, after: query.after }.check()?;
    let documents = list::page(&app, &claims.caller, &LIST, &page, &[(&session, Type::UUID)]).await?;
    found(documents, "session", session)
}

/// `GET /api/documents/{id}`.
pub(crate) async fn read(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    found(app.db.as_caller(&claims.caller).json(READ, &[(&id, Type::UUID)]).await?, "document", id)
}

/// The query of `GET /api/documents/{id}/pages`. `after` is the last page of the previous response.
#[derive(Debug, Deserialize)]
pub(crate) struct PagesQuery {
    limit: Option<i64>,
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
    found(app.db.as_caller(&claims.caller).json(PAGES, &params).await?, "document", id)
}

/// `POST /api/documents/{id}/ocr`: extracts every page again by OCR. The present text stays until then.
pub(crate) async fn ocr(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let document = app.db.as_caller(&claims.caller).one(OCR, &[(&id, Type::UUID)]).await?;
    Ok(json(StatusCode::ACCEPTED, document))
}

/// `DELETE /api/documents/{id}`.
pub(crate) async fn delete(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let rows = app.db.as_caller(&claims.caller).rows(DELETE, &[(&id, Type::UUID)]).await?;
    match first(&rows)? {
        Some(true) => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => Err(not_found("document", id)),
    }
}
