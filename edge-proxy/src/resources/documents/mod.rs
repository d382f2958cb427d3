//! Documents: listed, found by digest, read, changed, their text by page, their bytes and thumbnails (also by
//! signed URLs), extracted again, deleted.

mod content;
mod link;
mod settled;
mod thumbnail;

pub(crate) use content::content;
pub(crate) use link::{Lifetime, Link, urls};
pub(crate) use settled::until_settled;
pub(crate) use thumbnail::thumbnail;

use super::list::{self, BEFORE, page_sql};
use crate::app::App;
use crate::auth::Claims;
use crate::db::{Param, first};
use crate::http::{
    ApiError, Id, Json, NoKeys, Number, OptionalJson, Paging, Prefer, Problem, Query, found, json, limit,
    not_found, unchanged,
};
use crate::openapi::records::{self, DocumentStatus, OcrMode};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use dossier_extract::TextFormat;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::LazyLock;
use tokio_postgres::types::Type;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

static LIST: LazyLock<String> = LazyLock::new(|| {
    let rows = format!(
        "select dossier.document_record(d) as json, d.created_at, d.id \
         from dossier.list_documents(limit_count => ($3 + 1)::integer, before => {BEFORE}, before_id => $2, \
           session_id => $4, organization_id => $5, status => $6, media_type => $7) as d"
    );
    let visible = "$4::uuid is null or exists (select from dossier.sessions as s where s.id = $4)";
    page_sql("documents", &rows, visible)
});
const READ: &str = "select dossier.document_record(d)::text from dossier.documents as d where d.id = $1";
const PAGES: &str = "with page as ( \
                       select p.page, dossier.page_record(p) || case when $4 = 'markdown' then \
                       jsonb_build_object('text', dossier.page_markdown(p)) else '{}' end as json from dossier.document_pages as p \
                       where p.document_id = $1 and p.page > $2 order by p.page limit $3 + 1 \
                     ), numbered as ( \
                       select *, row_number() over (order by page) as n, count(*) over () as total from page \
                     ) \
                     select case when count(*) > 0 or exists (select from dossier.documents as d where d.id = $1) then \
                     json_build_object('pages', coalesce(json_agg(json order by page) filter (where n <= $3), '[]'), \
                     'next', max(page) filter (where n = $3 and total > $3)) end::text from numbered";
const PAGE: &str = "select (dossier.page_record(p) || jsonb_build_object('document_id', p.document_id) \
                    || case when $4 = 'markdown' then jsonb_build_object('text', dossier.page_markdown(p)) else '{}' end \
                    || case when $3::text is null then '{}' \
                    else jsonb_build_object('html', dossier.mark_page(p.document_id, p.page, $3)) end)::text \
                    from dossier.document_pages as p where p.document_id = $1 and p.page = $2";
const TABLES: &str = "select jsonb_build_object('document_id', p.document_id, 'page', p.page, 'tables', coalesce(( \
                      select jsonb_agg(to_jsonb(t) - 'page' order by t.number) \
                      from dossier.list_tables(p.document_id, p.page) as t), '[]'))::text \
                      from dossier.document_pages as p where p.document_id = $1 and p.page = $2";
const UPDATE: &str =
    "select dossier.document_record(d)::text from dossier.update_document($1, $2::text::jsonb) as d";
const KNOWN: &str = "select json_build_object('documents', coalesce(json_agg(dossier.document_record(d)), '[]'))::text \
                     from dossier.known_documents($1, $2) as d";
const EXTRACT: &str = "select dossier.document_record(d)::text \
                       from dossier.request_extraction($1, ocr => coalesce($2, 'auto'), language => $3) as d";
const OCR: &str =
    "select dossier.document_record(d)::text from dossier.request_extraction($1, ocr => 'force') as d";
const DELETE: &str = "select dossier.delete_document($1)";

/// The query of `GET /api/documents`: of a session, of an organization, or of all that the caller can see.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ListQuery {
    /// Only documents of this session.
    session_id: Option<Uuid>,
    /// Only documents of this organization.
    organization_id: Option<Uuid>,
    /// Only documents with this status.
    #[param(inline, value_type = Option<DocumentStatus>)]
    status: Option<String>,
    /// Only documents of this type: `application/pdf`, or `image/*`.
    #[param(pattern = r"^[A-Za-z0-9!#$&^_.+*-]+/[A-Za-z0-9!#$&^_.+*-]+$")]
    media_type: Option<String>,
    /// How many rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// The `next` of the previous page.
    after: Option<String>,
}

/// `GET /api/documents`.
pub(crate) async fn list(
    State(app): State<App>,
    claims: Claims,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let page = Paging { limit: query.limit, after: query.after }.check()?;
    let filters: [Param<'_>; 4] = [
        (&query.session_id, Type::UUID),
        (&query.organization_id, Type::UUID),
        (&query.status, Type::TEXT),
        (&query.media_type, Type::TEXT),
    ];
    let documents = list::page(&app, &claims.caller, &LIST, &page, &filters).await?;
    found(documents, "session", query.session_id.unwrap_or_default())
}

/// `GET /api/documents/{id}`: with `Prefer: wait=N` its final status, if it has one in time.
pub(crate) async fn read(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let prefer = Prefer::from_headers(&headers);
    let document = if prefer.wait().is_some() {
        until_settled(&app, &claims, &prefer, &[id]).await?.remove(&id)
    } else {
        app.db.as_caller(&claims.caller).json(READ, &[(&id, Type::UUID)]).await?
    };
    Ok(prefer.applied(found(document, "document", id)?))
}

/// `PATCH /api/documents/{id}`: keys that the body omits stay as they are. SQL checks the others.
pub(crate) async fn update(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
    Json(changes): Json<Box<RawValue>>,
) -> Result<Response, ApiError> {
    let changes = changes.get();
    let params = [(&id as _, Type::UUID), (&changes as _, Type::TEXT)];
    Ok(json(StatusCode::OK, app.db.as_caller(&claims.caller).one(UPDATE, &params).await?))
}

/// The body of `POST /api/documents/known`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Digests {
    #[schema(required, nullable = false)]
    session_id: Option<Uuid>,
    /// SHA-256 digests in hexadecimal.
    #[schema(min_items = 1, max_items = 1000, value_type = Vec<records::Digest>)]
    sha256: Vec<String>,
}

/// `POST /api/documents/known`: the documents of a session whose bytes a client need not send again.
pub(crate) async fn known(
    State(app): State<App>,
    claims: Claims,
    _: Query<NoKeys>,
    Json(digests): Json<Digests>,
) -> Result<Response, ApiError> {
    let params = [(&digests.session_id as _, Type::UUID), (&digests.sha256 as _, Type::TEXT_ARRAY)];
    Ok(unchanged(app.db.as_caller(&claims.caller).one(KNOWN, &params).await?))
}

/// The query of `GET /api/documents/{id}/pages`. `after` is the last page of the previous response, `format` that of the text.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct PagesQuery {
    /// How many pages at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// The `next` of the previous response: the number of its last page.
    #[param(maximum = 2_147_483_647)]
    after: Option<i32>,
    /// The format of the text.
    #[param(inline, value_type = Option<records::TextFormat>)]
    format: Option<TextFormat>,
}

/// `GET /api/documents/{id}/pages`.
pub(crate) async fn pages(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    Query(query): Query<PagesQuery>,
) -> Result<Response, ApiError> {
    let (after, limit, format) = (query.after.unwrap_or(0), limit(query.limit)?, name(query.format));
    let params = [
        (&id as _, Type::UUID),
        (&after as _, Type::INT4),
        (&limit as _, Type::INT8),
        (&format as _, Type::TEXT),
    ];
    found(app.db.as_caller(&claims.caller).json(PAGES, &params).await?, "document", id)
}

/// The query of `GET /api/documents/{id}/pages/{n}`. With `q`, the words that search finds are marked.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct PageQuery {
    /// A query whose words are marked in `html`, as search finds them.
    q: Option<String>,
    /// The format of the text.
    #[param(inline, value_type = Option<records::TextFormat>)]
    format: Option<TextFormat>,
}

/// `GET /api/documents/{id}/pages/{n}`.
pub(crate) async fn page(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    Number(page): Number,
    Query(query): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let marked = query.q.filter(|q| !q.trim().is_empty());
    let format = name(query.format);
    let params = [
        (&id as _, Type::UUID),
        (&page as _, Type::INT4),
        (&marked as _, Type::TEXT),
        (&format as _, Type::TEXT),
    ];
    let text = app.db.as_caller(&claims.caller.long()).json(PAGE, &params).await?;
    Ok(json(StatusCode::OK, text.ok_or_else(|| no_page(id, page))?))
}

/// `GET /api/documents/{id}/pages/{n}/tables`.
pub(crate) async fn tables(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    Number(page): Number,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let params = [(&id as _, Type::UUID), (&page as _, Type::INT4)];
    let tables = app.db.as_caller(&claims.caller).json(TABLES, &params).await?;
    Ok(json(StatusCode::OK, tables.ok_or_else(|| no_page(id, page))?))
}

/// The format for SQL.
fn name(format: Option<TextFormat>) -> &'static str {
    format.unwrap_or_default().name()
}

fn no_page(id: Uuid, page: i32) -> ApiError {
    Problem::new(StatusCode::NOT_FOUND, "Page not found")
        .details(format!("No page {page} of a document {id} is visible to you."))
        .hint("Request the document: page_count is the number of its pages once it is ready.")
        .into()
}

/// The body of `POST /api/documents/{id}/extract`. SQL checks the values.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extraction {
    #[schema(value_type = Option<OcrMode>)]
    ocr: Option<String>,
    /// An ISO 639-3 code. The language is then not detected, and OCR reads it first.
    #[schema(pattern = "^[a-z]{3}$")]
    language: Option<String>,
}

/// `POST /api/documents/{id}/extract`: extracts it again. The present text stays until then.
pub(crate) async fn extract(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
    OptionalJson(extraction): OptionalJson<Extraction>,
) -> Result<Response, ApiError> {
    let params =
        [(&id as _, Type::UUID), (&extraction.ocr as _, Type::TEXT), (&extraction.language as _, Type::TEXT)];
    let document = app.db.as_caller(&claims.caller).one(EXTRACT, &params).await?;
    Ok(json(StatusCode::ACCEPTED, document))
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
