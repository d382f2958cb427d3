//! Bodies in another encoding than their own, such as gzip. Whatever reads a body here takes it as it is, so a compressed file
//! would be stored compressed, under a wrong type, and compressed JSON would be garbage. They are refused (RFC 9110, 15.5.16).

use super::Problem;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Body as _;

/// Refuses a request whose body is encoded. `Accept-Encoding` says that it must not be.
pub(crate) async fn plain_body(request: Request, next: Next) -> Response {
    let encoding = if request.body().is_end_stream() { None } else { encoding(request.headers()) };
    let Some(encoding) = encoding else { return next.run(request).await };
    let mut refused = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Encoded bodies are not supported")
        .details(format!("The request has Content-Encoding: {encoding}."))
        .hint("Send the body as it is, without this header. To keep a compressed file, upload it as an ordinary file.")
        .into_response();
    refused.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    refused
}

/// The encoding that a header declares, shortened. `None`: the body is sent as it is.
fn encoding(headers: &HeaderMap) -> Option<String> {
    const LONGEST: usize = 40;
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let encodings = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let applied = |name: &str| !name.is_empty() && !name.eq_ignore_ascii_case("identity");
    encodings
        .flat_map(|list| list.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>())
        .find(|name| applied(name))
        .map(|name| name.chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_identity_is_no_encoding() {
        let read = |values: &[&'static str]| {
            let sent = values.iter().map(|value| (header::CONTENT_ENCODING, HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            sent.for_each(|(name, value)| {
                headers.append(name, value);
            });
            encoding(&headers)
        };
        for plain in [&[][..], &[""], &["identity"], &["Identity, identity"], &["identity", ""]] {
            assert_eq!(read(plain), None, "{plain:?}");
        }
        assert_eq!(read(&["gzip"]).as_deref(), Some("gzip"));
        assert_eq!(read(&["identity, br"]).as_deref(), Some("br"));
        assert_eq!(read(&["identity", "zstd"]).as_deref(), Some("zstd"));
    }
}
