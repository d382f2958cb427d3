//! The id by which a request is found in all logs.

use crate::http::REQUEST_ID;
use pingora::http::RequestHeader;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Builder;

/// The client's own request id if it is acceptable, otherwise a new one.
pub(super) fn request_id(request: &RequestHeader) -> String {
    let given = request.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(plain).map_or_else(new_id, str::to_owned)
}

/// A new one. Hashes a counter under random keys, because asking the system for random bytes costs a system call each time.
fn new_id() -> String {
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut bytes = [0; 16];
    for (half, key) in bytes.chunks_exact_mut(8).zip(KEYS.iter()) {
        half.copy_from_slice(&key.hash_one(count).to_ne_bytes());
    }
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_request_id_is_kept_only_if_it_is_plain() {
        let with = |id: &str| {
            let mut request = RequestHeader::build("GET", b"/", None).unwrap();
            request.insert_header(REQUEST_ID, id).unwrap();
            request_id(&request)
        };
        assert_eq!(with("abc-123_x.y"), "abc-123_x.y");
        let many: HashSet<String> = (0..1000).map(|_| new_id()).collect();
        assert_eq!(many.len(), 1000);
        for odd in ["", "with space", "\"quoted\"", &"x".repeat(65)] {
            assert_eq!(with(odd).len(), 36, "{odd}");
        }
    }
}
