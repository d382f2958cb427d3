//! Path ids and JSON bodies, refused with errors that name what was sent.

use super::{ApiError, Problem};
use axum::body::Body;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Path, Request};
use futures_util::stream::StreamExt;
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// The `{id}` of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let invalid = || {
            Problem::bad_request("The id in the path is not a valid UUID")
                .hint("Send the id from a response: 32 hexadecimal digits with hyphens.")
        };
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| invalid())?;
        Ok(Self(id.parse().map_err(|_| invalid())?))
    }
}

/// A JSON body of bounded size.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

/// The longest JSON body that is read, in bytes.
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
        Ok(Self(serde_json::from_str(&body).map_err(|error| invalid_json(&error))?))
    }
}

fn invalid_json(error: &serde_json::Error) -> Problem {
    if error.is_data() {
        Problem::bad_request("The JSON body does not have the expected members")
            .details(format!("Reading it failed: {error}."))
            .hint("Fix the member that details names.")
    } else {
        Problem::bad_request("The body is not valid JSON")
            .details(format!("Reading it failed: {error}."))
            .hint("Send JSON in UTF-8.")
    }
}

/// A body of at most `limit` bytes that can be passed on as JSON: UTF-8, and not nested too deeply.
pub(crate) async fn read_json(body: Body, limit: usize) -> Result<String, Problem> {
    let body = read(body, limit).await?;
    if too_deep(&body) {
        return Err(Problem::bad_request(format!("The JSON is nested deeper than {DEEPEST} levels"))
            .hint("Send a flatter structure, or upload it as a document."));
    }
    String::from_utf8(body).map_err(|error| {
        Problem::bad_request("The body is not valid UTF-8")
            .details(format!("Decoding it failed: {}.", error.utf8_error()))
            .hint("Encode the JSON in UTF-8.")
    })
}

/// The deepest JSON that is passed on. Beyond it, Postgres reaches its own stack limit.
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
            Problem::bad_request("The body could not be read")
                .details(format!("Reading it failed: {error}."))
                .hint("Send the request again.")
        })?;
        if read.len() + frame.len() > limit {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("The JSON body is larger than {limit} bytes"),
            )
            .details("This is a limit of the edge (JSON_MAX_BYTES).")
            .hint("Upload long text as a document, or ask the operator to raise the limit."));
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
