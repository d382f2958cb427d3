//! `POST /api/uploads`: begins an upload, and takes its first bytes if the request has some.

use super::super::open_upload::abort;
use super::super::refusal::too_large;
use super::checksum::Checksum;
use super::hold::whole;
use super::metadata::{Declared, no_session};
use super::patch::{Part, Progress, receive};
use super::protocol::{
    UPLOAD_CONCAT, UPLOAD_DEFER_LENGTH, UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_OFFSET, bytes, has_bytes,
    http_date, location,
};
use crate::app::App;
use crate::auth::Claims;
use crate::db::{Caller, DbError};
use crate::http::{ApiError, Chain, NoKeys, Problem, Query};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use http_body::Body as _;
use std::sync::LazyLock;
use tokio_postgres::types::Type;
use uuid::Uuid;

static BEGIN: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select u.id, {} from dossier.begin_resumable_upload(session_id => $1, name => $2, media_type => $3, size_bytes => $4, \
         metadata => coalesce($5::jsonb, '{{}}'), expires_in => $6 * interval '1 second', client_metadata => $7) as u",
        http_date("(now() + $6 * interval '1 second')")
    )
});

/// The name of a file that has none, as in forms.
const UNNAMED: &str = "unnamed";

/// `POST /api/uploads`.
pub(crate) async fn create(
    State(app): State<App>,
    claims: Claims,
    uri: Uri,
    _: Query<NoKeys>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let length = declared_length(&headers)?;
    let edge_limit = app.upload.max_bytes.unwrap_or(u64::MAX);
    if length.is_some_and(|length| length > edge_limit) {
        return Err(too_large(edge_limit).into());
    }
    let with_upload = has_bytes(&headers, body.is_end_stream(), false)? && !body.is_end_stream();
    let checksum = Checksum::from_headers(&headers)?;
    let metadata = Declared::from_headers(&headers)?;

    let begun = begin(&app, &claims.caller, length, metadata).await?;
    let mut progress = Progress { offset: 0, expires: Some(begun.expires) };
    if with_upload {
        let part = Part { offset: 0, length: None, checksum, body };
        progress = match receive(&app, &claims.caller, begun.id, part).await {
            Ok(progress) => progress,
            // The client does not know the upload, so it cannot continue it.
            Err(refused) => {
                if let Err(error) = abort(&app, &claims.caller, begun.id).await {
                    tracing::debug!(document.id = %begun.id, "aborting an upload failed, it expires: {}", Chain(&error));
                }
                return Err(refused);
            }
        };
    }
    let location = [(header::LOCATION, location(&app, uri.path(), begun.id))];
    let offset = with_upload.then(|| [(UPLOAD_OFFSET, progress.offset.to_string())]);
    let expires = progress.expires.map(|expires| [(UPLOAD_EXPIRES, expires)]);
    Ok((StatusCode::CREATED, location, offset, expires, ()).into_response())
}

/// An upload without bytes.
struct Begun {
    id: Uuid,
    expires: String,
}

/// Asks the database, which checks membership, name, type and size before a byte of the file is read.
async fn begin(
    app: &App,
    caller: &Caller,
    length: Option<u64>,
    metadata: Declared,
) -> Result<Begun, ApiError> {
    let session_id = metadata.session_id.ok_or_else(no_session)?;
    let name = metadata.filename.as_deref().unwrap_or(UNNAMED);
    let length = length.map(whole);
    let expires_in = whole(app.upload.expires.as_secs());
    let params = [
        (&session_id as _, Type::UUID),
        (&name as _, Type::TEXT),
        (&metadata.filetype as _, Type::TEXT),
        (&length as _, Type::INT8),
        (&metadata.metadata as _, Type::TEXT),
        (&expires_in as _, Type::INT8),
        (&metadata.sent as _, Type::TEXT),
    ];
    let rows = app.db.as_caller(caller).rows(&BEGIN, &params).await?;
    let row = rows.first().ok_or(DbError::NoRow)?;
    Ok(Begun { id: row.try_get(0).map_err(DbError::from)?, expires: row.try_get(1).map_err(DbError::from)? })
}

/// The size of the file. `None`: the client will declare it later.
fn declared_length(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    if headers.contains_key(UPLOAD_CONCAT) {
        return Err(Problem::bad_request("Upload-Concat is not supported")
            .details("Tus-Extension lists the extensions that this edge supports.")
            .hint("Send the file as one upload: parts of it can be sent one after the other."));
    }
    let length = bytes(headers, &UPLOAD_LENGTH)?;
    let deferred = headers.get(UPLOAD_DEFER_LENGTH).map(|value| value.as_bytes() == b"1");
    match (length, deferred) {
        (Some(length), None) => Ok(Some(length)),
        (None, Some(true)) => Ok(None),
        _ => Err(Problem::bad_request("The request must have Upload-Length, or Upload-Defer-Length: 1")
            .details("Exactly one of the two headers declares the size of the file.")
            .hint("Send the size in bytes as Upload-Length, if it is known.")),
    }
}
