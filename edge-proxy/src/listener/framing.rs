//! Whether all servers divide a connection into the same requests, and whether they know which host one is for.
//!
//! Pingora drops some of a head when it parses it, so this module reads the head as it arrived.
//! Invariant: a request that passes has one length, or chunks, and (from HTTP/1.1 on) one host.

use super::respond::{no_host, two_lengths, unknown_encoding};
use crate::http::Problem;
use bytes::Bytes;
use http::{HeaderValue, Version, header};
use pingora::protocols::http::ServerSession;
use pingora::proxy::Session;

/// Refuses requests that the servers behind might divide or address differently.
pub(super) fn check(session: &Session) -> Result<(), Problem> {
    let request = session.req_header();
    let encoding = request.headers.get(header::TRANSFER_ENCODING);
    let length = request.headers.get(header::CONTENT_LENGTH);
    // If both are sent, pingora keeps only one of them.
    let lengths =
        if encoding.or(length).is_some() { RawHead::of(session).count("content-length") } else { 0 };
    if let Some(encoding) = encoding {
        if lengths > 0 {
            return Err(two_lengths("It has both Content-Length and Transfer-Encoding."));
        }
        let once = request.headers.get_all(header::TRANSFER_ENCODING).iter().count() == 1;
        if !once || !encoding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Err(unknown_encoding());
        }
    }
    let is_number = |length: &HeaderValue| length.as_bytes().iter().all(u8::is_ascii_digit);
    if lengths > 1 || !length.is_none_or(is_number) {
        return Err(two_lengths("It must have one Content-Length, which is a number."));
    }
    if request.version == Version::HTTP_11 && !request.headers.contains_key(header::HOST) {
        return Err(no_host());
    }
    Ok(())
}

/// A complete head: the request line and the headers.
pub(super) struct RawHead(Bytes);

impl RawHead {
    pub(super) fn of(session: &Session) -> Self {
        Self(match session.as_downstream() {
            ServerSession::H1(session) => session.get_headers_raw_bytes(),
            _ => Bytes::new(),
        })
    }

    /// The target of the request, with its fragment.
    pub(super) fn target(&self) -> &[u8] {
        let line =
            self.0.trim_ascii_start().split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        line.split(|byte| *byte == b' ').nth(1).unwrap_or_default()
    }

    /// How often a header was sent. `name` is in lower case.
    fn count(&self, name: &str) -> usize {
        let lines = self.0.split(|byte| *byte == b'\n').skip(1);
        let names =
            lines.map(|line| line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii());
        names.filter(|sent| sent.eq_ignore_ascii_case(name.as_bytes())).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_read_as_it_arrived() {
        let head = |text: &'static str| RawHead(Bytes::from_static(text.as_bytes()));
        let plain = head("POST /rest/v1/x?y#z HTTP/1.1\r\nHost: edge\r\nContent-Length: 5\r\n\r\n");
        assert_eq!(plain.target(), b"/rest/v1/x?y#z");
        assert_eq!(
            (plain.count("content-length"), plain.count("host"), plain.count("transfer-encoding")),
            (1, 1, 0)
        );
        assert_eq!(plain.count("post /rest/v1/x?y#z http/1.1"), 0);
        assert_eq!(head("\r\nGET /x HTTP/1.1\nhost : edge\n\n").target(), b"/x");
        assert_eq!(head("GET /x HTTP/1.1\nhost: edge\nHOST: other\n\n").count("host"), 2);
        assert_eq!(head("").target(), b"");
    }
}
