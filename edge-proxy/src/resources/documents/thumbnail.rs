//! `GET /api/documents/{id}/thumbnail`: a small picture of the first page.

use super::content::text;
use crate::app::App;
use crate::auth::Claims;
use crate::db::DbError;
use crate::http::{ApiError, Id, Problem, not_found, unless_known};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio_postgres::types::Type;

/// No row: the document is not visible. A row without a picture tells whether one is being made.
const READ: &str = "select t.media_type, t.sha256, t.bytes, t.bytes is null and dossier.thumbnail_pending(d.id) \
                    from dossier.documents as d \
                    left join dossier.document_thumbnails as t on t.document_id = d.id where d.id = $1";

/// A document's bytes never change, so neither does its thumbnail. The set of users that may see it can.
const CACHE: HeaderValue = HeaderValue::from_static("private, max-age=3600");

/// When to request a thumbnail again that is being made, in seconds.
const SOON: HeaderValue = HeaderValue::from_static("2");

/// `GET /api/documents/{id}/thumbnail`.
pub(crate) async fn thumbnail(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let rows = app.db.as_caller(&claims.caller).rows(READ, &[(&id, Type::UUID)]).await?;
    let row = rows.first().ok_or_else(|| not_found("document", id))?;
    let Some(bytes) = row.try_get::<_, Option<Vec<u8>>>(2).map_err(DbError::from)? else {
        return Ok(none(row.try_get(3).map_err(DbError::from)?));
    };
    let media_type: String = row.try_get(0).map_err(DbError::from)?;
    let sha256: String = row.try_get(1).map_err(DbError::from)?;
    let mut response = (StatusCode::OK, bytes).into_response();
    let sent = response.headers_mut();
    sent.insert(header::CONTENT_TYPE, text(&media_type));
    sent.insert(header::ETAG, text(&format!("\"{sha256}\"")));
    sent.insert(header::CACHE_CONTROL, CACHE);
    sent.insert(header::VARY, HeaderValue::from_static("authorization"));
    sent.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    sent.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    Ok(unless_known(&headers, response))
}

/// Not yet, or never.
fn none(pending: bool) -> Response {
    let problem = Problem::new(StatusCode::NOT_FOUND, "The document has no thumbnail");
    if !pending {
        return problem.hint("Only PDFs and images whose first page can be drawn have one.").into_response();
    }
    let mut response = problem
        .hint("It is being made. Request it again after the number of seconds in Retry-After.")
        .into_response();
    response.headers_mut().insert(header::RETRY_AFTER, SOON);
    response
}
