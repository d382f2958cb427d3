//! Responses that several resources give: JSON from Postgres, "not found" and "not modified".

use super::{ApiError, Problem};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use uuid::Uuid;

/// JSON text as Postgres wrote it.
pub(crate) fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

/// JSON text, or 404 if the caller can see no such `object`.
pub(crate) fn found(body: Option<String>, object: &str, id: Uuid) -> Result<Response, ApiError> {
    body.map(|body| json(StatusCode::OK, body)).ok_or_else(|| not_found(object, id))
}

/// The refusal that SQL raises for an object that does not exist or that the caller cannot see, in the same words.
pub(crate) fn not_found(object: &str, id: Uuid) -> ApiError {
    let mut name = object.to_owned();
    name[..1].make_ascii_uppercase();
    Problem::new(StatusCode::NOT_FOUND, format!("{name} not found"))
        .details(format!("No {object} {id} is visible to you."))
        .hint("Check the id, and that you are a member of the organization that it belongs to.")
        .into()
}

/// The response, or 304 without a body if the client already has it (`If-None-Match`).
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

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_response_that_the_client_has_is_not_sent_again() {
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

    #[test]
    fn a_missing_object_is_named() {
        let Problem { status, message, details, .. } = not_found("session", Uuid::nil()).into_problem();
        assert_eq!((status.as_u16(), message.as_ref()), (404, "Session not found"));
        assert_eq!(
            details.as_deref(),
            Some("No session 00000000-0000-0000-0000-000000000000 is visible to you.")
        );
    }
}
