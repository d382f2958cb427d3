//! The HTTP request behind a statement, as SQL sees it in `request.headers`, `request.method` and `request.path`. These
//! settings have the form that `PostgREST` gives them, so functions and triggers of an app work behind either.
//!
//! Invariant: contains no credentials. The verified token is in `request.jwt.claims`.

use http::header::{self, HeaderMap, HeaderName};
use http::request::Parts;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Headers that Postgres does not receive. It might log them with a statement.
const CREDENTIALS: [HeaderName; 4] =
    [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION, HeaderName::from_static("apikey")];

/// A request. Empty by default, for work that the edge does by itself.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(super) headers: String,
    pub(super) method: String,
    pub(super) path: String,
}

impl From<&Parts> for Request {
    fn from(parts: &Parts) -> Self {
        Self {
            headers: json(&parts.headers),
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
        }
    }
}

/// A JSON object with lower-case names. A repeated header is one value, joined by commas.
fn json(headers: &HeaderMap) -> String {
    let mut fields: BTreeMap<&str, Cow<'_, str>> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| !CREDENTIALS.contains(name)) {
        let value = String::from_utf8_lossy(value.as_bytes());
        fields
            .entry(name.as_str())
            .and_modify(|known| *known = format!("{known}, {value}").into())
            .or_insert(value);
    }
    // Serializing strings cannot fail.
    serde_json::to_string(&fields).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn headers_are_one_object_without_credentials() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("User-Agent", "a \"quoted\" agent"),
            ("X-Forwarded-For", "203.0.113.7"),
            ("Accept", "text/html"),
            ("accept", "*/*"),
            ("Authorization", "Bearer secret"),
            ("Cookie", "session=secret"),
            ("ApiKey", "secret"),
        ] {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static(value));
        }
        headers.append("x-odd", HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(
            json(&headers),
            "{\"accept\":\"text/html, */*\",\"user-agent\":\"a \\\"quoted\\\" agent\",\
             \"x-forwarded-for\":\"203.0.113.7\",\"x-odd\":\"\u{fffd}\"}"
        );
        assert_eq!(json(&HeaderMap::new()), "{}");
    }
}
