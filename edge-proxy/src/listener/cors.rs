//! Which pages of other origins may call the API (CORS).
//!
//! The API identifies a caller only by the bearer token and sets no cookie. So an accepted origin gains nothing beyond what
//! the token of its page already allows.
//! Invariant: never sends `Access-Control-Allow-Credentials`.
//! Invariant: leaves the responses of the stack as they are. The stack decides for its own paths. If the edge itself
//! responds there, any page may read that.

use super::forwarded::describes_connection;
use crate::config::{Origins, RequestHeaders};
use http::{HeaderName, Method, StatusCode, header};
use pingora::Result;
use pingora::http::{RequestHeader, ResponseHeader};

const METHODS: &str = "GET, HEAD, POST, PATCH, DELETE";
/// Headers that browsers send across origins only if they are allowed: tokens, conditions, those of resumable uploads (tus),
/// and those that Supabase's client adds to every request. Tracing libraries, SDKs and apps add others, which [`RequestHeaders`] is about.
const HEADERS: &str = "authorization, content-type, if-match, if-none-match, if-range, range, prefer, \
                       last-event-id, x-request-id, apikey, x-client-info, tus-resumable, upload-offset, upload-length, \
                       upload-defer-length, upload-metadata, upload-checksum, x-http-method-override";
/// How many further headers one page may ask for.
const MOST_HEADERS: usize = 64;
/// In seconds. Browsers apply a lower limit of their own.
const MAX_AGE: &str = "7200";

/// Which pages of other origins may read a response.
pub(super) struct Cors {
    origins: Origins,
    headers: RequestHeaders,
    max_age: &'static str,
}

impl Cors {
    /// For the API.
    pub(super) fn new(origins: Origins, headers: RequestHeaders) -> Self {
        Self { origins, headers, max_age: MAX_AGE }
    }

    /// For the edge's own responses on paths of the stack. They say nothing about a user. A preflight is accepted only so
    /// that the page can read the refusal of the request after it, so it must not be remembered.
    pub(super) fn of_refusals() -> Self {
        Self { origins: Origins::Any, headers: RequestHeaders::Any, max_age: "0" }
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
        response.insert_header(header::ACCESS_CONTROL_ALLOW_HEADERS, self.allowed_headers(request))?;
        response.insert_header(header::ACCESS_CONTROL_MAX_AGE, self.max_age)?;
        Ok(Some(response))
    }

    /// The headers that the page may send: those of the API, and others that it asks for and that are not forbidden.
    fn allowed_headers(&self, request: &RequestHeader) -> String {
        let asked = request.headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).iter();
        let asked = asked.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let further: Vec<HeaderName> = match &self.headers {
            RequestHeaders::Any => asked
                .filter_map(|name| name.trim().parse().ok())
                .filter(|name| !describes_connection(name))
                .take(MOST_HEADERS)
                .collect(),
            RequestHeaders::These(names) => names.clone(),
        };
        further.iter().fold(HEADERS.to_owned(), |list, name| format!("{list}, {name}"))
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
        let allowed = Cors::new(origins, RequestHeaders::Any).allow(&request, &mut response).unwrap();
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
