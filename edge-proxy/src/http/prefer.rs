//! The `Prefer` header (RFC 7240). Only `wait=N` is supported.

use axum::response::Response;
use http::{HeaderMap, HeaderValue};
use std::time::Duration;

/// The longest wait that is granted, in seconds.
const LONGEST_WAIT: u64 = 60;

/// The preferences of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Prefer {
    wait: Option<u64>,
}

impl Prefer {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let wait = headers
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split([',', ';']))
            .filter_map(|preference| preference.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
            .and_then(|(_, seconds)| seconds.trim().trim_matches('"').parse().ok())
            .map(|seconds: u64| seconds.min(LONGEST_WAIT));
        Self { wait }
    }

    /// How long to wait. `None`: not at all.
    pub(crate) fn wait(self) -> Option<Duration> {
        self.wait.filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// The response with a header that states what was granted.
    pub(crate) fn applied(self, mut response: Response) -> Response {
        if let Some(value) = self.wait.and_then(|wait| HeaderValue::from_str(&format!("wait={wait}")).ok()) {
            response.headers_mut().insert("preference-applied", value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wait_counts_up_to_a_limit() {
        let wait = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("prefer", HeaderValue::from_static(value));
            }
            Prefer::from_headers(&headers).wait.map(Duration::from_secs)
        };
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&["wait=5"]), Some(Duration::from_secs(5)));
        assert_eq!(wait(&["respond-async, WAIT = \"7\""]), Some(Duration::from_secs(7)));
        assert_eq!(wait(&["return=minimal", "wait=3"]), Some(Duration::from_secs(3)));
        assert_eq!(wait(&["wait=9999"]), Some(Duration::from_mins(1)));
        for nonsense in ["wait", "wait=", "wait=-1", "wait=soon", "await=3"] {
            assert_eq!(wait(&[nonsense]), None, "{nonsense}");
        }
    }
}
