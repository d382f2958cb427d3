//! The `Range` header (RFC 9110): one range of bytes, or the whole document.

use http::{HeaderMap, header};

/// The part of a document that a client requests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RequestedRange {
    Whole,
    /// From the first offset up to, but not including, the second.
    Part(u64, u64),
    /// The document has no byte in the range.
    Nothing,
}

/// Reads `Range`, unless `If-Range` names another version. Several ranges, other units and malformed ones are
/// ignored, as the RFC allows: the whole document is always a correct response.
pub(crate) fn requested_range(headers: &HeaderMap, size: u64, etag: &str) -> RequestedRange {
    let Some(range) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else {
        return RequestedRange::Whole;
    };
    if headers.get(header::IF_RANGE).is_some_and(|tag| tag.as_bytes() != etag.as_bytes()) {
        return RequestedRange::Whole;
    }
    parse(range, size).unwrap_or(RequestedRange::Whole)
}

fn parse(range: &str, size: u64) -> Option<RequestedRange> {
    let (first, last) = range.strip_prefix("bytes=")?.trim().split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        let suffix = number(last)?;
        return Some(match suffix.min(size) {
            0 => RequestedRange::Nothing,
            length => RequestedRange::Part(size - length, size),
        });
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    if first >= size {
        return Some(RequestedRange::Nothing);
    }
    Some(RequestedRange::Part(first, last.saturating_add(1).min(size)))
}

/// Digits only, no sign. A number too large for 64 bits counts as the largest.
fn number(digits: &str) -> Option<u64> {
    (!digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
        .then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn ranges_are_read_as_rfc_9110_defines_them() {
        for (range, size, expected) in [
            ("bytes=0-0", 10, RequestedRange::Part(0, 1)),
            ("bytes=0-", 10, RequestedRange::Part(0, 10)),
            ("bytes=2-5", 10, RequestedRange::Part(2, 6)),
            ("bytes=9-99", 10, RequestedRange::Part(9, 10)),
            ("bytes=-3", 10, RequestedRange::Part(7, 10)),
            ("bytes=-99", 10, RequestedRange::Part(0, 10)),
            ("bytes=0-99999999999999999999999", 10, RequestedRange::Part(0, 10)),
            ("bytes=10-", 10, RequestedRange::Nothing),
            ("bytes=-0", 10, RequestedRange::Nothing),
            ("bytes=0-", 0, RequestedRange::Nothing),
            ("bytes=5-2", 10, RequestedRange::Whole),
            ("bytes=0-1,3-4", 10, RequestedRange::Whole),
            ("bytes=+1-2", 10, RequestedRange::Whole),
            ("bytes=-", 10, RequestedRange::Whole),
            ("bytes=a-b", 10, RequestedRange::Whole),
            ("items=0-1", 10, RequestedRange::Whole),
        ] {
            let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(range))]);
            assert_eq!(requested_range(&headers, size, "\"e\""), expected, "{range} of {size}");
        }
    }

    #[test]
    fn a_range_applies_only_to_the_version_it_names() {
        let with = |tag: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_static("bytes=1-2"));
            headers.insert(header::IF_RANGE, HeaderValue::from_static(tag));
            requested_range(&headers, 10, "\"e\"")
        };
        assert_eq!(with("\"e\""), RequestedRange::Part(1, 3));
        assert_eq!(with("\"other\""), RequestedRange::Whole);
        assert_eq!(with("W/\"e\""), RequestedRange::Whole);
    }

    #[test]
    fn a_part_always_lies_within_the_document() {
        let pieces = ["bytes=", "-", "0", "7", "99", "18446744073709551615", ",", " ", "x"];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    for size in [0, 1, 8, u64::MAX] {
                        let range = format!("bytes={a}{b}{c}");
                        if let Some(RequestedRange::Part(from, to)) = parse(&range, size) {
                            assert!(from < to && to <= size, "{range} of {size}: {from}..{to}");
                        }
                    }
                }
            }
        }
    }
}
