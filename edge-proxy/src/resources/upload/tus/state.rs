//! What is known of an upload (`HEAD`), its end (`DELETE`), and what this edge supports (`OPTIONS`).

use super::super::open_upload::abort;
use super::checksum::ALGORITHMS;
use super::hold::{Hold, whole};
use super::patch::patch;
use super::protocol::{
    EXTENSIONS, UPLOAD_DEFER_LENGTH, UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_OFFSET, http_date,
};
use crate::app::App;
use crate::auth::Claims;
use crate::db::{DbError, first};
use crate::http::{ApiError, Id, NoKeys, Problem, Query};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::sync::LazyLock;
use tokio_postgres::types::Type;

static STATE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select s.stored_bytes, s.size_bytes, {}, s.client_metadata from dossier.upload_state($1) as s",
        http_date("s.expires_at")
    )
});
const LIMIT: &str = "select least((dossier.limits() ->> 'max_file_bytes')::bigint, $1)";

const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// `OPTIONS /api/uploads`. Without a valid token, the limit of the database is not part of it.
pub(crate) async fn options(
    State(app): State<App>,
    claims: Result<Claims, ApiError>,
) -> Result<Response, ApiError> {
    let edge_limit = app.upload.max_bytes.map(whole);
    let limit = match claims {
        Ok(claims) => {
            let params = [(&edge_limit as _, Type::INT8)];
            first(&app.db.as_caller(&claims.caller).rows(LIMIT, &params).await?)?
        }
        Err(_) => edge_limit,
    };
    let limit = limit.map(|limit: i64| [(TUS_MAX_SIZE, limit.to_string())]);
    let algorithms = HeaderValue::from_static(ALGORITHMS);
    let supported = [(TUS_EXTENSION, EXTENSIONS), (TUS_CHECKSUM_ALGORITHM, algorithms)];
    Ok((StatusCode::NO_CONTENT, supported, limit, ()).into_response())
}

/// `HEAD /api/uploads/{id}`.
pub(crate) async fn head(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let rows = app.db.as_caller(&claims.caller).rows(&STATE, &[(&id, Type::UUID)]).await?;
    let row = rows.first().ok_or(DbError::NoRow)?;
    let get = |column: usize| row.try_get::<_, Option<i64>>(column).map_err(DbError::from);
    let text = |column: usize| row.try_get::<_, Option<String>>(column).map_err(DbError::from);
    let (offset, size, expires, metadata) = (get(0)?.unwrap_or(0), get(1)?, text(2)?, text(3)?);
    if expires.is_some() && size == Some(offset) {
        // An edge was lost after the last byte. The client will take the upload for finished.
        let size = u64::try_from(offset).unwrap_or(0);
        let finished = async {
            let hold = Hold::take(&app, &claims.caller, id, size, None, false).await?;
            hold.finish(size, None).await
        };
        finished.await.map_err(|error| error.seen_by(claims.caller.role))?;
    }

    let known = match size {
        Some(size) => [(UPLOAD_OFFSET, offset.to_string()), (UPLOAD_LENGTH, size.to_string())],
        None => [(UPLOAD_OFFSET, offset.to_string()), (UPLOAD_DEFER_LENGTH, "1".to_owned())],
    };
    let expires = expires.filter(|_| size != Some(offset)).map(|expires| [(UPLOAD_EXPIRES, expires)]);
    let metadata =
        metadata.filter(|metadata| !metadata.is_empty()).map(|metadata| [(UPLOAD_METADATA, metadata)]);
    Ok((StatusCode::OK, known, expires, metadata, ()).into_response())
}

/// `DELETE /api/uploads/{id}`. A request that is sending the upload is refused from then on.
pub(crate) async fn terminate(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let ended = abort(&app, &claims.caller, id).await.map_err(|error| error.seen_by(claims.caller.role))?;
    if !ended {
        // Says why: it does not exist, belongs to another user, or has expired.
        app.db.as_caller(&claims.caller).rows(&STATE, &[(&id, Type::UUID)]).await?;
        return Err(finished().into());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/uploads/{id}`, for clients that can send nothing else.
pub(crate) async fn overridden(
    state: State<App>,
    claims: Claims,
    id: Id,
    query: Query<NoKeys>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    match headers.get(METHOD_OVERRIDE).map(HeaderValue::as_bytes) {
        Some(b"PATCH") => patch(state, claims, id, query, headers, body).await,
        Some(b"DELETE") => terminate(state, claims, id, query).await,
        Some(b"HEAD") => head(state, claims, id, query).await,
        _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed on this path")
            .details("POST stands for the method that X-HTTP-Method-Override names: PATCH, HEAD or DELETE.")
            .hint("Send the method itself, or name it in the header.")
            .into()),
    }
}

fn finished() -> Problem {
    Problem::new(StatusCode::CONFLICT, "This upload is already finished")
        .details("Its file is a document now.")
        .hint("Delete the document with DELETE /api/documents/{id}.")
}
