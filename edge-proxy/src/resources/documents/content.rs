//! `GET /api/documents/{id}/content`: the bytes, chunk by chunk.
//!
//! Invariant: no database connection is held between chunks, so a slow client costs one chunk of memory.

use super::link::{Link, outside_the_trash};
use crate::app::App;
use crate::auth::{Claims, Signed};
use crate::db::{CHUNK_BYTES, Caller, DbError};
use crate::http::{ApiError, Id, Problem, Query, RequestedRange, attachment, not_found, requested_range};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio_postgres::types::Type;
use uuid::Uuid;

const FACTS: &str = concat!(
    "select d.name, d.media_type, d.size_bytes, d.sha256, d.status = 'uploading', d.storage = 'none' \
     from dossier.documents as d where d.id = $1 and ",
    outside_the_trash!()
);

const CHUNK: u64 = CHUNK_BYTES as u64;

/// `GET /api/documents/{id}/content`.
pub(crate) async fn content(
    State(app): State<App>,
    claims: Result<Claims, ApiError>,
    Id(id): Id,
    Query(link): Query<Link>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let caller = link.reader(&app, claims, Signed::Content, id, &headers)?;
    let file = facts(&app, &caller, id).await?;
    let etag = format!("\"{}\"", file.sha256);
    let (status, from, to) = match requested_range(&headers, file.size, &etag) {
        RequestedRange::Whole => (StatusCode::OK, 0, file.size),
        RequestedRange::Part(from, to) => (StatusCode::PARTIAL_CONTENT, from, to),
        RequestedRange::Nothing => return Ok(unsatisfiable(file.size)),
    };
    let body = Body::from_stream(bytes(app, caller, id, from, to));
    let mut response = with_headers(status, &file, &etag, body);
    response.headers_mut().insert(header::CONTENT_LENGTH, (to - from).into());
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {from}-{}/{}", to - 1, file.size);
        response.headers_mut().insert(header::CONTENT_RANGE, text(&range));
    }
    Ok(response)
}

struct Facts {
    name: String,
    media_type: String,
    size: u64,
    sha256: String,
}

async fn facts(app: &App, caller: &Caller, id: Uuid) -> Result<Facts, ApiError> {
    let rows = app.db.as_caller(caller).rows(FACTS, &[(&id, Type::UUID)]).await?;
    let row = rows.first().ok_or_else(|| not_found("document", id))?;
    if row.try_get(4).map_err(DbError::from)? {
        return Err(Problem::new(StatusCode::CONFLICT, "The document is still being uploaded")
            .hint("Request it again when its status is no longer uploading.")
            .into());
    }
    if row.try_get(5).map_err(DbError::from)? {
        return Err(Problem::new(StatusCode::GONE, "The bytes of this document are not stored")
            .details(format!("Document {id} was imported without its bytes."))
            .hint("Read its pages. To store the bytes, upload the file or export its session again with include_bytes.")
            .into());
    }
    let size: i64 = row.try_get(2).map_err(DbError::from)?;
    Ok(Facts {
        name: row.try_get(0).map_err(DbError::from)?,
        media_type: row.try_get(1).map_err(DbError::from)?,
        size: u64::try_from(size).unwrap_or(0),
        sha256: row.try_get(3).map_err(DbError::from)?,
    })
}

/// The bytes from `from` up to `to`. Each piece is read when the client is ready for it.
fn bytes(
    app: App,
    caller: Caller,
    id: Uuid,
    from: u64,
    to: u64,
) -> impl Stream<Item = Result<Vec<u8>, DbError>> {
    stream::try_unfold(from, move |at| {
        let (app, caller) = (app.clone(), caller.clone());
        async move {
            if at >= to {
                return Ok(None);
            }
            let end = ((at / CHUNK + 1) * CHUNK).min(to);
            let piece = app.db.content(&caller, id, at, end - at).await?;
            // Deleted meanwhile. Cut the connection, or the client would take the part for the whole.
            if piece.is_empty() {
                return Err(DbError::Changed);
            }
            let next = at + piece.len() as u64;
            Ok(Some((piece, next)))
        }
    })
}

/// A stored file can be anything. Browsers must download it, and neither render, sniff nor run it.
fn with_headers(status: StatusCode, file: &Facts, etag: &str, body: Body) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, text(&file.media_type));
    headers.insert(header::ETAG, text(etag));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::CONTENT_DISPOSITION, attachment(&file.name));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn unsatisfiable(size: u64) -> Response {
    let mut response =
        Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, format!("The document has only {size} bytes"))
            .hint("Request a range that begins within the document, or omit Range.")
            .into_response();
    response.headers_mut().insert(header::CONTENT_RANGE, text(&format!("bytes */{size}")));
    response
}

/// Values that the database has checked contain no character that a header forbids.
pub(super) fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"))
}
