//! Which pages of other origins may call the API (CORS).
//!
//! The API identifies a caller only by the bearer token and sets no cookie. So an accepted origin gains nothing beyond what
//! the token of its page already allows.
//! Invariant: never sends `Access-Control-Allow-Credentials`.
//! Invariant: applies to `/api` only. The stack behind sets the headers for its own paths.

use crate::config::Origins;
use http::{Method, StatusCode, header};
use pingora::Result;
use pingora::http::{RequestHeader, ResponseHeader};

const METHODS: &str = "GET, HEAD, POST, PATCH, DELETE";
/// Headers that browsers send across origins only if they are allowed: tokens, conditions, and those that Supabase's
/// client adds to every request.
const HEADERS: &str = "authorization, content-type, if-match, if-none-match, if-range, range, prefer, \
                       x-request-id, apikey, x-client-info";
/// In seconds. Browsers apply a lower limit of their own.
const MAX_AGE: &str = "7200";

/// Which pages of other origins may call the API.
pub(super) struct Cors {
    origins: Origins,
}

impl Cors {
    pub(super) fn new(origins: Origins) -> Self {
        Self { origins }
    }

    /// Whether this is a preflight request, and this edge accepts any origin at all.
    pub(super) fn is_preflight(&self, request: &RequestHeader) -> bool {
        self.origins != Origins::None
            && request.method == Method::OPTIONS
            && request.headers.contains_key(header::ORIGIN)
            && request.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The response to a preflight request. `None`: the origin is not accepted.
    pub(super) fn preflight(&self, request: &RequestHeader) -> Result<Option<ResponseHeader>> {
        let mut response = ResponseHeader::build(StatusCode::NO_CONTENT, Some(6))?;
        if !self.allow(request, &mut response)? {
            return Ok(None);
        }
        response.insert_header(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS)?;
        response.insert_header(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS)?;
        response.insert_header(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE)?;
        Ok(Some(response))
    }

    /// Allows the page to read the response, if its origin is accepted.
    pub(super) fn allow(&self, request: &RequestHeader, response: &mut ResponseHeader) -> Result<bool> {
        let origin = request.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        let allowed = match (&self.origins, origin) {
            (Origins::None, _) => return Ok(false),
            (Origins::Any, Some(_)) => "*",
            (Origins::These(origins), Some(origin)) if origins.iter().any(|known| known == origin) => origin,
            _ => "",
        };
        if self.origins != Origins::Any {
            // The response depends on the origin, so no cache may give one origin the response for another.
            response.append_header(header::VARY, "origin")?;
        }
        if allowed.is_empty() {
            return Ok(false);
        }
        response.insert_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed)?;
        response.insert_header(header::ACCESS_CONTROL_EXPOSE_HEADERS, "*")?;
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
        let mut response = ResponseHeader::build(200, None).unwrap();
        let allowed = Cors::new(origins).allow(&request, &mut response).unwrap();
        let of = |name| {
            response.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        (allowed, of(header::ACCESS_CONTROL_ALLOW_ORIGIN), of(header::VARY))
    }

    #[test]
    fn an_origin_is_accepted_only_if_it_is_listed_exactly() {
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
