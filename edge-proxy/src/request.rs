//! Reading requests: path ids, queries and JSON bodies, whose errors are ours and say what is wrong.

use crate::app::App;
use crate::error::{ApiError, Problem};
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::response::{IntoResponse, Response};
use futures_util::stream::StreamExt;
use http::request::Parts;
use http::{StatusCode, header};
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// The `{id}` of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::bad_request(error.to_string()))?;
        let id = id.parse().map_err(|_| Problem::bad_request("the id in the path is not a uuid"))?;
        Ok(Self(id))
    }
}

/// The query of a URL.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let axum::extract::Query(query) = axum::extract::Query::try_from_uri(&parts.uri)
            .map_err(|error| Problem::bad_request(error.body_text()))?;
        Ok(Self(query))
    }
}

/// A JSON body, of a bounded size.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let body = read(request.into_body(), app.upload.json_max_bytes).await?;
        let value = serde_json::from_slice(&body).map_err(|error| {
            Problem::bad_request(format!("the body is not the JSON that is expected here: {error}"))
        })?;
        Ok(Self(value))
    }
}

async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut stream = body.into_data_stream();
    let mut read = Vec::new();
    while let Some(frame) = stream.next().await {
        let frame =
            frame.map_err(|error| Problem::bad_request(format!("the body could not be read: {error}")))?;
        if read.len() + frame.len() > limit {
            let message = format!("the body is larger than {limit} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message)
                .hint("Long texts are uploaded as documents."));
        }
        read.extend_from_slice(&frame);
    }
    Ok(read)
}

/// JSON text that Postgres made, passed on.
pub(crate) fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

/// As [`json`], or 404 with `message` when there is nothing that the caller can see.
pub(crate) fn found(body: Option<String>, message: &'static str) -> Result<Response, ApiError> {
    match body {
        Some(body) => Ok(json(StatusCode::OK, body)),
        None => Err(not_found(message)),
    }
}

pub(crate) fn not_found(message: &'static str) -> ApiError {
    Problem::new(StatusCode::NOT_FOUND, message)
        .hint("Check the id, and that you are a member of its organization.")
        .into()
}
