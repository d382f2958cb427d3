//! Preconditions (RFC 9110, 13.1): `If-Match` and `If-None-Match`, against the `ETag` of a resource.
//!
//! Invariant: a precondition that cannot be evaluated fails. A client that sent one must not overwrite what it has not seen.

use super::{ApiError, Problem};
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, Method, StatusCode, header};

/// One of the two headers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    /// `*`: any representation.
    Any,
    /// The opaque parts of the tags, without quotes. Proxies that compress responses weaken tags, so `W/` is ignored.
    Tags(Vec<String>),
}

impl Condition {
    fn read(headers: &HeaderMap, name: HeaderName) -> Option<Self> {
        let mut lines = headers.get_all(name).iter().peekable();
        lines.peek()?;
        let text: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let text = text.join(",");
        if text.trim() == "*" {
            return Some(Self::Any);
        }
        let tag = |tag: &str| {
            let tag = tag.trim();
            tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').to_owned()
        };
        Some(Self::Tags(text.split(',').map(tag).filter(|tag| !tag.is_empty()).collect()))
    }

    /// Whether it names a representation with this tag. `None`: there is no representation.
    fn names(&self, tag: Option<&str>) -> bool {
        match self {
            Self::Any => tag.is_some(),
            Self::Tags(tags) => tag.is_some_and(|tag| tags.iter().any(|named| named == tag)),
        }
    }
}

/// The preconditions of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preconditions {
    if_match: Option<Condition>,
    if_none_match: Option<Condition>,
}

impl Preconditions {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        Self {
            if_match: Condition::read(headers, header::IF_MATCH),
            if_none_match: Condition::read(headers, header::IF_NONE_MATCH),
        }
    }

    /// Whether the request has none.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether they allow a change of a resource whose tag is `tag`. Without a representation, `exists` is false; a tag
    /// can then stand for its absence.
    pub(crate) fn allow(&self, tag: &str, exists: bool) -> bool {
        let named = |condition: &Condition| match condition {
            Condition::Any => exists,
            Condition::Tags(_) => condition.names(Some(tag)),
        };
        self.if_match.as_ref().is_none_or(named) && !self.if_none_match.as_ref().is_some_and(named)
    }

    /// The response to a safe request: 412 if `If-Match` names other tags, 304 without a body if the client already has it
    /// (`If-None-Match`).
    fn answer(&self, response: Response) -> Response {
        if !response.status().is_success() {
            return response;
        }
        let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
        let tag = tag.map(|tag| tag.trim_matches('"').to_owned());
        let fails = match &self.if_match {
            Some(Condition::Any) | None => false,
            Some(condition) => !condition.names(tag.as_deref()),
        };
        if fails {
            return unmet(tag.is_some()).into_response();
        }
        let known =
            tag.is_some() && self.if_none_match.as_ref().is_some_and(|tags| tags.names(tag.as_deref()));
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
}

fn is_read(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
}

fn unmet(has_tag: bool) -> Problem {
    let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "The precondition of the request is not met");
    if has_tag {
        problem
            .details("If-Match names another version than the current one.")
            .hint("Read the resource again, and send its ETag.")
    } else {
        problem
            .details("This resource has no ETag that If-Match or If-None-Match could name.")
            .hint("Omit If-Match and If-None-Match. Contexts, files and thumbnails have an ETag.")
    }
}

/// For every resource: evaluates the preconditions of a read against the `ETag` of the response.
pub(crate) async fn conditional_read(request: Request, next: Next) -> Response {
    if !is_read(&request) {
        return next.run(request).await;
    }
    let preconditions = Preconditions::from_headers(request.headers());
    preconditions.answer(next.run(request).await)
}

/// For resources without versions: refuses a change that depends on one.
pub(crate) async fn without_version(request: Request, next: Next) -> Result<Response, ApiError> {
    if is_read(&request) {
        return Ok(next.run(request).await);
    }
    let preconditions = Preconditions::from_headers(request.headers());
    // With *, `If-Match` only requires that the resource exists, which every change does.
    if matches!(preconditions.if_match, Some(Condition::Tags(_))) || preconditions.if_none_match.is_some() {
        return Err(unmet(false).into());
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn sent(lines: &[(HeaderName, &'static str)]) -> Preconditions {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        Preconditions::from_headers(&headers)
    }

    #[test]
    fn a_change_needs_a_tag_that_is_named_and_none_that_is_excluded() {
        let (matching, other) = (header::IF_MATCH, header::IF_NONE_MATCH);
        for (name, value, tag, exists, allowed) in [
            (&matching, "\"3\"", "3", true, true),
            (&matching, "\"2\"", "3", true, false),
            (&matching, "\"1\", \"2\" ,\"3\"", "3", true, true),
            (&matching, "W/\"3\"", "3", true, true),
            (&matching, "3", "3", true, true),
            (&matching, "nonsense", "3", true, false),
            (&matching, "", "3", true, false),
            (&matching, "*", "3", true, true),
            (&matching, "*", "0", false, false),
            (&matching, "\"0\"", "0", false, true),
            (&other, "*", "3", true, false),
            (&other, "*", "0", false, true),
            (&other, "\"3\"", "3", true, false),
            (&other, "\"1\", \"2\"", "3", true, true),
        ] {
            let allows = sent(&[(name.clone(), value)]).allow(tag, exists);
            assert_eq!(allows, allowed, "{name}: {value} for {tag}, which exists: {exists}");
        }
        assert!(sent(&[(matching.clone(), "\"1\""), (matching, "\"3\"")]).allow("3", true), "on two lines");
        assert!(sent(&[]).is_empty() && sent(&[]).allow("3", true));
    }

    #[test]
    fn a_response_is_sent_unless_the_client_has_it_or_wants_another() {
        let status = |name: &HeaderName, tags: &'static str, tag: Option<&'static str>| {
            let mut response = "{}".into_response();
            if let Some(tag) = tag {
                response.headers_mut().insert(header::ETAG, HeaderValue::from_static(tag));
            }
            sent(&[(name.clone(), tags)]).answer(response).status().as_u16()
        };
        for tags in ["\"3\"", "*", "W/\"3\"", "\"1\", \"3\""] {
            assert_eq!(status(&header::IF_NONE_MATCH, tags, Some("\"3\"")), 304, "{tags}");
            assert_eq!(status(&header::IF_MATCH, tags, Some("\"3\"")), 200, "{tags}");
        }
        for tags in ["\"2\"", ""] {
            assert_eq!(status(&header::IF_NONE_MATCH, tags, Some("\"3\"")), 200, "{tags}");
            assert_eq!(status(&header::IF_MATCH, tags, Some("\"3\"")), 412, "{tags}");
        }
        assert_eq!(status(&header::IF_MATCH, "\"3\"", None), 412);
        assert_eq!(status(&header::IF_NONE_MATCH, "*", None), 200);
        let missing = sent(&[(header::IF_MATCH, "\"3\"")]).answer(StatusCode::NOT_FOUND.into_response());
        assert_eq!(missing.status(), 404, "a refusal stays what it is");
    }
}
