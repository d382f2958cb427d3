//! The id by which a request is found in all logs.

use crate::http::REQUEST_ID;
use pingora::http::RequestHeader;

/// The client's own request id if it is acceptable, otherwise a new one.
pub(super) fn request_id(request: &RequestHeader) -> String {
    let given = request.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(plain).map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_kept_only_if_it_is_plain() {
        let with = |id: &str| {
            let mut request = RequestHeader::build("GET", b"/", None).unwrap();
            request.insert_header(REQUEST_ID, id).unwrap();
            request_id(&request)
        };
        assert_eq!(with("abc-123_x.y"), "abc-123_x.y");
        for odd in ["", "with space", "\"quoted\"", &"x".repeat(65)] {
            assert_eq!(with(odd).len(), 36, "{odd}");
        }
    }
}
