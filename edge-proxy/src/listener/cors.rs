//! Which pages of other origins may call the API (CORS).
//!
//! The API knows a caller by the bearer token alone and sets no cookie, so an origin that is let in gains
//! nothing that its page's token does not give it.
//! Invariant: never answers `Access-Control-Allow-Credentials`.
//! Invariant: speaks for `/api` alone; the stack behind answers for its own paths.

use crate::config::Origins;
use http::{Method, StatusCode, header};
use pingora::Result;
use pingora::http::{RequestHeader, ResponseHeader};

const METHODS: &str = "GET, HEAD, POST, PATCH, DELETE";
/// What browsers do not send across origins by themselves: tokens, conditions, and what Supabase's client
/// adds to every request.
const HEADERS: &str = "authorization, content-type, if-match, if-none-match, if-range, range, prefer, \
                       x-request-id, apikey, x-client-info";
/// In seconds; browsers cap it lower still.
const REMEMBERED: &str = "7200";

/// Which pages of other origins may call the API.
pub(super) struct Cors {
    origins: Origins,
}

impl Cors {
    pub(super) fn new(origins: Origins) -> Self {
        Self { origins }
    }

    /// Whether a browser asks if it may send a request, and this edge lets any origin in at all.
    pub(super) fn is_asked(&self, request: &RequestHeader) -> bool {
        self.origins != Origins::None
            && request.method == Method::OPTIONS
            && request.headers.contains_key(header::ORIGIN)
            && request.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The answer to [`Cors::is_asked`]; `None`: the origin is not let in.
    pub(super) fn preflight(&self, request: &RequestHeader) -> Result<Option<ResponseHeader>> {
        let mut answer = ResponseHeader::build(StatusCode::NO_CONTENT, Some(6))?;
        if !self.allow(request, &mut answer)? {
            return Ok(None);
        }
        answer.insert_header(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS)?;
        answer.insert_header(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS)?;
        answer.insert_header(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED)?;
        Ok(Some(answer))
    }

    /// Lets the page read the answer, when its origin is let in.
    pub(super) fn allow(&self, request: &RequestHeader, answer: &mut ResponseHeader) -> Result<bool> {
        let origin = request.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        let allowed = match (&self.origins, origin) {
            (Origins::None, _) => return Ok(false),
            (Origins::Any, Some(_)) => "*",
            (Origins::These(origins), Some(origin)) if origins.iter().any(|known| known == origin) => origin,
            _ => "",
        };
        if self.origins != Origins::Any {
            // The answer differs by origin: no cache may give one origin's to another.
            answer.append_header(header::VARY, "origin")?;
        }
        if allowed.is_empty() {
            return Ok(false);
        }
        answer.insert_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed)?;
        answer.insert_header(header::ACCESS_CONTROL_EXPOSE_HEADERS, "*")?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(origins: Origins, origin: Option<&str>) -> (bool, String, String) {
        let mut request = RequestHeader::build("GET", b"/api/sessions", None).unwrap();
        if let Some(origin) = origin {
            request.insert_header(header::ORIGIN, origin).unwrap();
        }
        let mut answer = ResponseHeader::build(200, None).unwrap();
        let allowed = Cors::new(origins).allow(&request, &mut answer).unwrap();
        let of = |name| {
            answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        (allowed, of(header::ACCESS_CONTROL_ALLOW_ORIGIN), of(header::VARY))
    }

    #[test]
    fn an_origin_is_let_in_only_when_it_is_named_whole() {
        let app = "https://app.example";
        let these = || Origins::These(vec![app.to_owned()]);
        let seen = |allowed, origin: &str, vary: &str| (allowed, origin.to_owned(), vary.to_owned());
        assert_eq!(answer(these(), Some(app)), seen(true, app, "origin"));
        for other in
            ["https://app.example.evil.test", "http://app.example", "https://app.example:8443", "null"]
        {
            assert_eq!(answer(these(), Some(other)), seen(false, "", "origin"), "{other}");
        }
        assert_eq!(answer(these(), None), seen(false, "", "origin"));
        assert_eq!(answer(Origins::Any, Some(app)), seen(true, "*", ""));
        assert_eq!(answer(Origins::None, Some(app)), seen(false, "", ""));
    }
}
