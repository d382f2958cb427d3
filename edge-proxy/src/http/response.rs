//! Responses that every resource gives: JSON that Postgres made, "not found", and "not modified".

use super::{ApiError, Problem};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

/// The response, or 304 without it when the client says (`If-None-Match`) that it has it.
pub(crate) fn unless_known(headers: &HeaderMap, response: Response) -> Response {
    let Some(etag) = response.headers().get(header::ETAG) else { return response };
    let known =
        headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
            let mut tags = value.split(',').map(str::trim);
            tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes())
        });
    if !known {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    for header in [header::CONTENT_LENGTH, header::CONTENT_TYPE] {
        parts.headers.remove(header);
    }
    Response::from_parts(parts, Body::empty())
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

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let status = |tags: &'static str| {
            let mut response = json(StatusCode::OK, "{}".to_owned());
            response.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"3\""));
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(tags))]);
            unless_known(&headers, response).status().as_u16()
        };
        for tags in ["\"3\"", "*", "W/\"3\"", "\"1\", \"3\""] {
            assert_eq!(status(tags), 304, "{tags}");
        }
        for tags in ["\"2\"", "3", ""] {
            assert_eq!(status(tags), 200, "{tags}");
        }
    }
}
