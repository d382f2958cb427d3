//! `GET /api/documents/{id}/thumbnail`: a small picture of the first page.

use super::content::text;
use super::link::{Link, outside_the_trash};
use crate::app::App;
use crate::auth::{Claims, Signed};
use crate::db::DbError;
use crate::http::{ApiError, Id, Prefer, Problem, Query, not_found};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_postgres::types::Type;

/// No row: the document is not visible. A row without a picture tells whether one is being made.
const READ: &str = concat!(
    "select t.media_type, t.sha256, t.bytes, t.bytes is null and dossier.thumbnail_pending(d.id) \
     from dossier.documents as d left join dossier.document_thumbnails as t on t.document_id = d.id \
     where d.id = $1 and ",
    outside_the_trash!()
);

/// A document's bytes never change, so neither does its thumbnail. The set of users that may see it can.
const CACHE: HeaderValue = HeaderValue::from_static("private, max-age=3600");

/// How long a request waits for a thumbnail that is being made, unless it prefers another time. Most are made sooner.
const USUAL_WAIT: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(250);

/// When to request a thumbnail again that is being made, in seconds.
const SOON: HeaderValue = HeaderValue::from_static("2");

/// `GET /api/documents/{id}/thumbnail`.
pub(crate) async fn thumbnail(
    State(app): State<App>,
    claims: Result<Claims, ApiError>,
    Id(id): Id,
    Query(link): Query<Link>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let caller = link.reader(&app, claims, Signed::Thumbnail, id, &headers)?;
    let prefer = Prefer::from_headers(&headers);
    let deadline = Instant::now() + prefer.wait().unwrap_or(USUAL_WAIT);
    let (row, bytes) = loop {
        let rows = app.db.as_caller(&caller).rows(READ, &[(&id, Type::UUID)]).await?;
        let row = rows.into_iter().next().ok_or_else(|| not_found("document", id))?;
        if let Some(bytes) = row.try_get::<_, Option<Vec<u8>>>(2).map_err(DbError::from)? {
            break (row, bytes);
        }
        let pending: bool = row.try_get(3).map_err(DbError::from)?;
        if !pending || Instant::now() >= deadline {
            return Ok(prefer.applied(none(pending)));
        }
        sleep_until(deadline.min(Instant::now() + POLL)).await;
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
    Ok(prefer.applied(response))
}

/// Not yet, or never.
fn none(pending: bool) -> Response {
    let problem = Problem::new(StatusCode::NOT_FOUND, "The document has no thumbnail");
    if !pending {
        return problem
            .hint("Only PDFs, images and office files whose first page can be drawn have one.")
            .into_response();
    }
    let mut response = problem
        .hint("It is being made. Request it again after the number of seconds in Retry-After.")
        .into_response();
    response.headers_mut().insert(header::RETRY_AFTER, SOON);
    response
}
