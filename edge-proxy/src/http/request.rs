//! Path parameters and JSON bodies, refused with errors that name what was sent.

use super::query::fields;
use super::{ApiError, Problem, json_words};
use axum::body::Body;
use axum::extract::{FromRef, FromRequest, FromRequestParts, RawPathParams, Request};
use futures_util::stream::StreamExt;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::{DeserializeOwned, IgnoredAny};
use std::net::IpAddr;
use uuid::Uuid;

/// The `{id}` of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let id = in_path(parts, state, "id").await.and_then(|id| id.parse().ok());
        Ok(Self(id.ok_or_else(|| {
            Problem::bad_request("The id in the path is not a valid UUID")
                .hint("Send the id from a response: 32 hexadecimal digits with hyphens.")
        })?))
    }
}

/// The `{n}` of a path: a page or a version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(pub(crate) i32);

impl<S: Send + Sync> FromRequestParts<S> for Number {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let number = in_path(parts, state, "n").await.and_then(|number| number.parse().ok());
        Ok(Self(number.filter(|number| *number > 0).ok_or_else(|| {
            Problem::bad_request("The number in the path is not valid")
                .details("Pages and versions are counted from 1.")
                .hint("Send a number from a response.")
        })?))
    }
}

/// The `{user_id}` of a path.
#[derive(Debug, Clone)]
pub(crate) struct UserId(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for UserId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(in_path(parts, state, "user_id").await.ok_or_else(|| {
            Problem::bad_request("The user id in the path is not valid")
                .hint("Send the user_id of a member, percent-encoded.")
        })?))
    }
}

/// The address of the client, as the listener describes it. Clients cannot set this header themselves.
pub(crate) fn client_address(headers: &HeaderMap) -> Option<IpAddr> {
    headers.get("x-real-ip")?.to_str().ok()?.parse().ok()
}

/// A parameter of the path, decoded.
async fn in_path<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Option<String> {
    let parameters = RawPathParams::from_request_parts(parts, state).await.ok()?;
    parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
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
        Ok(Self(from_json(&body)?))
    }
}

/// Like [`Json`], but an empty body stands for the default.
#[derive(Debug)]
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<T, S> FromRequest<S> for OptionalJson<T>
where
    T: DeserializeOwned + Default,
    S: Send + Sync,
    JsonLimit: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let JsonLimit(limit) = JsonLimit::from_ref(state);
        let body = read_json(request.into_body(), limit).await?;
        if body.trim().is_empty() {
            return Ok(Self(T::default()));
        }
        Ok(Self(from_json(&body)?))
    }
}

/// Reads an object. The bodies of all paths are objects, and serde would also take an array of their members.
fn from_json<T: DeserializeOwned>(body: &str) -> Result<T, Problem> {
    let is_array =
        |body: &str| body.trim_start().starts_with('[') && serde_json::from_str::<IgnoredAny>(body).is_ok();
    if fields::<T>().is_some() && is_array(body) {
        return Err(unexpected("The body must be an object, not an array"));
    }
    serde_json::from_str(body).map_err(|error| {
        if error.is_data() {
            unexpected(&json_words::refusal(&member::<T>(body), &error))
        } else {
            not_json("The body", &error)
        }
    })
}

fn unexpected(why: &str) -> Problem {
    Problem::bad_request("The JSON body does not have the expected members")
        .details(format!("{why}."))
        .hint("Fix the member that details names.")
}

fn not_json(what: &str, error: &serde_json::Error) -> Problem {
    Problem::bad_request(format!("{what} is not valid JSON"))
        .details(json_words::refusal("", error) + ".")
        .hint("Send JSON in UTF-8.")
}

/// Checks JSON that arrives as text in something else. `what` is the subject of a refusal.
pub(crate) fn check_json(what: &str, json: &str) -> Result<(), Problem> {
    if too_deep(json.as_bytes()) {
        return Err(nested());
    }
    serde_json::from_str::<IgnoredAny>(json).map(drop).map_err(|error| not_json(what, &error))
}

/// The path of the member that cannot be read, empty for the whole body. Only errors need it, so the body is read a second
/// time to find it.
fn member<T: DeserializeOwned>(body: &str) -> String {
    let again = serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_str(body));
    let path = again.err().map(|error| error.path().to_string()).unwrap_or_default();
    if path == "." { String::new() } else { path }
}

/// A body of at most `limit` bytes that can be passed on as JSON.
async fn read_json(body: Body, limit: usize) -> Result<String, Problem> {
    json_text(read(body, limit).await?)
}

/// A complete body that can be passed on as JSON: UTF-8, and not nested too deeply.
pub(crate) fn json_text(body: Vec<u8>) -> Result<String, Problem> {
    if too_deep(&body) {
        return Err(nested());
    }
    let mut text = String::from_utf8(body).map_err(|error| {
        Problem::bad_request("The body is not valid UTF-8")
            .details(format!("Decoding it failed: {}.", error.utf8_error()))
            .hint("Encode the JSON in UTF-8.")
    })?;
    // Some programs begin every file with a byte order mark (RFC 8259, 8.1).
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    Ok(text)
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The refusal of JSON that is [`too_deep`].
pub(crate) fn nested() -> Problem {
    Problem::bad_request(format!("The JSON is nested deeper than {DEEPEST} levels"))
        .hint("Send a flatter structure, or upload it as a document.")
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
    fn an_array_does_not_pass_for_an_object() {
        #[derive(Debug, Default, serde::Deserialize)]
        struct Two {
            one: Option<String>,
            two: Option<String>,
        }
        let read = from_json::<Two>(r#"{"one": "1"}"#).unwrap();
        assert_eq!((read.one.as_deref(), read.two), (Some("1"), None));
        for array in ["[null, null]", r#" ["1", "2"]"#, "[]"] {
            let refused = from_json::<Two>(array).unwrap_err();
            assert_eq!(
                refused.details.as_deref(),
                Some("The body must be an object, not an array."),
                "{array}"
            );
        }
        assert_eq!(from_json::<Two>("[null").unwrap_err().message, "The body is not valid JSON");
    }

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
