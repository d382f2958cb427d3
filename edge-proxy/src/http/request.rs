//! Reading requests: path ids, queries and JSON bodies, whose errors are ours and say what is wrong.

use super::{ApiError, Problem};
use axum::body::Body;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Path, Request};
use futures_util::stream::StreamExt;
use http::StatusCode;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::error::Error as _;
use uuid::Uuid;

/// The `{id}` of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let not_an_id = || {
            Problem::bad_request("the id in the path is not a uuid")
                .hint("An id is 32 hexadecimal digits with hyphens, as answers and lists have it.")
        };
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| not_an_id())?;
        Ok(Self(id.parse().map_err(|_| not_an_id())?))
    }
}

/// The query of a URL. Keys that are not known are refused, so each `T` denies unknown fields: what is
/// misspelt must not seem to work.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let axum::extract::Query(query) =
            axum::extract::Query::try_from_uri(&parts.uri).map_err(|error| {
                // What serde says, without what axum says around it.
                let wrong = error.source().map_or_else(|| error.body_text(), ToString::to_string);
                Problem::bad_request("the query of the URL is not understood")
                    .details(wrong)
                    .hint("The details name the key, and the keys that are known here.")
            })?;
        Ok(Self(query))
    }
}

/// The query of a path that takes none: who asks for a version of it, say, must not get the latest, nor a dry run delete it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoKeys {}

/// A JSON body, of a bounded size.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

/// The longest JSON body that is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonLimit(pub(crate) usize);

impl<T, S> FromRequest<S> for Json<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
    JsonLimit: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let JsonLimit(limit) = JsonLimit::from_ref(state);
        let body = read_json(request.into_body(), limit).await?;
        let value = serde_json::from_str(&body).map_err(|error| not_expected(&error))?;
        Ok(Self(value))
    }
}

fn not_expected(error: &serde_json::Error) -> Problem {
    let (message, hint) = if error.is_data() {
        (
            "the body is not the JSON that is expected here",
            "Send an object whose members are those that this path takes; the details name the one that is not.",
        )
    } else {
        ("the body is not JSON", "Send JSON in UTF-8; the details say where it breaks off.")
    };
    Problem::bad_request(message).details(error.to_string()).hint(hint)
}

/// A body of at most `limit` bytes that can be passed on as JSON: text, and not nested too deeply.
pub(crate) async fn read_json(body: Body, limit: usize) -> Result<String, Problem> {
    let body = read(body, limit).await?;
    if too_deep(&body) {
        return Err(Problem::bad_request(format!("the JSON is nested deeper than {DEEPEST} levels"))
            .hint("Send it flatter, or as the text of a document."));
    }
    String::from_utf8(body).map_err(|error| {
        Problem::bad_request("the body is not UTF-8")
            .details(error.utf8_error().to_string())
            .hint("Write it in UTF-8 before it is sent.")
    })
}

/// Deepest nesting of JSON that is passed on: deeper, and Postgres runs into its own stack limit.
const DEEPEST: usize = 500;

/// Whether arrays and objects are nested beyond [`DEEPEST`].
pub(crate) fn too_deep(json: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut stream = body.into_data_stream();
    let mut read = Vec::new();
    while let Some(frame) = stream.next().await {
        let frame = frame.map_err(|error| {
            Problem::bad_request("the body could not be read")
                .details(error.to_string())
                .hint("Send it again.")
        })?;
        if read.len() + frame.len() > limit {
            let message = format!("the body is larger than {limit} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message)
                .hint("Long texts are uploaded as documents."));
        }
        read.extend_from_slice(&frame);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_strings() {
        let nested = |depth: usize| format!("{}{}", "[{\"a\":".repeat(depth / 2), "}]".repeat(depth / 2));
        assert!(!too_deep(nested(DEEPEST).as_bytes()));
        assert!(too_deep(nested(DEEPEST + 2).as_bytes()));
        assert!(!too_deep(format!(r#"["{}\"{}"]"#, "[".repeat(1000), "{".repeat(1000)).as_bytes()));
        assert!(!too_deep("[]".repeat(1000).as_bytes()));
        assert!(!too_deep(b"]]]}}}"));
    }
}
