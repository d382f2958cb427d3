//! The headers of tus 1.0.0, and the rules that hold for every request.

use crate::app::App;
use crate::http::Problem;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use uuid::Uuid;

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
pub(super) const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
pub(super) const UPLOAD_CONCAT: HeaderName = HeaderName::from_static("upload-concat");
pub(super) const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
pub(super) const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
pub(super) const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub(super) const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
pub(super) const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");

/// The only version of the protocol.
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
pub(super) const EXTENSIONS: HeaderValue = HeaderValue::from_static(
    "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination",
);
/// The type of a body with bytes of the file.
const OFFSET_STREAM: &str = "application/offset+octet-stream";

/// SQL: a time as HTTP writes it.
pub(super) fn http_date(time: &str) -> String {
    format!("to_char({time} at time zone 'UTC', 'Dy, DD Mon YYYY HH24:MI:SS \"GMT\"')")
}

/// Refuses other versions of the protocol, and names this one in each response.
pub(crate) async fn versioned(request: Request, next: Next) -> Response {
    // OPTIONS asks for the versions, and the list is not part of tus.
    let unversioned = matches!(*request.method(), Method::OPTIONS | Method::GET);
    let mut response = if unversioned || request.headers().get(TUS_RESUMABLE) == Some(&VERSION) {
        next.run(request).await
    } else {
        other_version().into_response()
    };
    let names_versions = unversioned || response.status() == StatusCode::PRECONDITION_FAILED;
    let headers = response.headers_mut();
    headers.insert(TUS_RESUMABLE, VERSION);
    if names_versions {
        headers.insert(TUS_VERSION, VERSION);
    }
    response
}

fn other_version() -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "The request does not name a supported version of tus")
        .details("This edge supports 1.0.0. Tus-Version lists the versions.")
        .hint("Send the header Tus-Resumable: 1.0.0, as clients of tus do.")
}

/// A number of bytes. `None`: the request does not have the header.
pub(super) fn bytes(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let digits = value.as_bytes();
    let number = value
        .to_str()
        .ok()
        .filter(|_| digits.iter().all(u8::is_ascii_digit))
        .and_then(|text| text.parse().ok());
    // Postgres counts up to there.
    let number = number.filter(|number| values.next().is_none() && i64::try_from(*number).is_ok());
    number.map(Some).ok_or_else(|| {
        Problem::bad_request(format!("{name} is not a number of bytes"))
            .hint("Send one decimal number, without a sign.")
    })
}

/// Whether the body contains bytes of the file. A body of another type is refused if `required`, or if it is not empty.
pub(super) fn has_bytes(headers: &HeaderMap, empty: bool, required: bool) -> Result<bool, Problem> {
    let sent = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes().trim_ascii());
    if sent.is_some_and(|sent| sent.eq_ignore_ascii_case(OFFSET_STREAM.as_bytes())) {
        return Ok(true);
    }
    if !required && empty {
        return Ok(false);
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("The body must be {OFFSET_STREAM}"))
        .details("This is the type of bytes of a file in tus.")
        .hint("Set Content-Type, or upload a form to /api/documents."))
}

/// Where an upload can be reached. Relative to the request, unless the operator has configured the public address: a proxy in
/// front may have added a prefix, and the host that a client names may be anything.
pub(super) fn location(app: &App, requested: &str, id: Uuid) -> String {
    match &app.public_url {
        Some(url) => format!("{url}/api/uploads/{id}"),
        None if requested.ends_with('/') => id.to_string(),
        None => format!("uploads/{id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_bytes_is_one_decimal_number() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(UPLOAD_OFFSET, HeaderValue::from_static(value));
            }
            bytes(&headers, &UPLOAD_OFFSET).map_err(|problem| problem.status.as_u16())
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["0"]), Ok(Some(0)));
        assert_eq!(read(&["9223372036854775807"]), Ok(Some(i64::MAX as u64)));
        for invalid in
            ["", "-1", "+1", "1.0", "0x1", " 1", "1,2", "9223372036854775808", "99999999999999999999"]
        {
            assert_eq!(read(&[invalid]), Err(400), "{invalid}");
        }
        assert_eq!(read(&["1", "1"]), Err(400), "twice");
    }

    #[test]
    fn only_one_type_has_bytes_of_the_file() {
        let read = |sent: Option<&'static str>, empty, required| {
            let mut headers = HeaderMap::new();
            if let Some(sent) = sent {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(sent));
            }
            has_bytes(&headers, empty, required).map_err(|problem| problem.status.as_u16())
        };
        assert_eq!(read(Some("application/offset+octet-stream"), false, true), Ok(true));
        assert_eq!(read(None, true, false), Ok(false));
        assert_eq!(read(Some("text/plain"), true, false), Ok(false));
        assert_eq!(read(None, false, false), Err(415));
        assert_eq!(read(Some("application/octet-stream"), false, true), Err(415));
    }
}
