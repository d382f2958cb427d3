//! `Upload-Checksum`: the digest of the bytes of one request.

use super::super::receive::Tally;
use super::protocol::UPLOAD_CHECKSUM;
use crate::http::Problem;
use crate::sha256::Sha256;
use aws_lc_rs::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};

/// As `Tus-Checksum-Algorithm` lists them. tus requires SHA-1.
pub(super) const ALGORITHMS: &str = "sha1,sha256,sha512";

/// The digest that a client announced, and that of the bytes so far.
pub(super) struct Checksum {
    expected: Vec<u8>,
    context: Context,
}

impl Checksum {
    /// `None`: the request has none.
    pub(super) fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        headers.get(UPLOAD_CHECKSUM).map(|value| Self::parse(value.to_str().unwrap_or_default())).transpose()
    }

    fn parse(value: &str) -> Result<Self, Problem> {
        let (name, digest) = value.trim().split_once(' ').unwrap_or((value, ""));
        let algorithm: &'static Algorithm = match name {
            "sha1" => &SHA1_FOR_LEGACY_USE_ONLY,
            "sha256" => &SHA256,
            "sha512" => &SHA512,
            _ => return Err(unsupported()),
        };
        let expected =
            STANDARD.decode(digest.trim()).ok().filter(|digest| digest.len() == algorithm.output_len());
        Ok(Self { expected: expected.ok_or_else(unsupported)?, context: Context::new(algorithm) })
    }

    /// Whether the bytes have the announced digest.
    pub(super) fn matches(self) -> bool {
        self.context.finish().as_ref() == self.expected
    }
}

/// What is computed from the bytes of one request.
pub(super) struct Digests {
    /// Of the file, if the request sends it from its first byte on.
    pub(super) file: Option<Sha256>,
    pub(super) request: Option<Checksum>,
}

impl Tally for Digests {
    fn add(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.file {
            hash.update(bytes);
        }
        if let Some(checksum) = &mut self.request {
            checksum.context.update(bytes);
        }
    }
}

fn unsupported() -> Problem {
    Problem::bad_request("Upload-Checksum is not valid")
        .details(format!(
            "It has the form: algorithm, space, digest in Base64. The algorithms are {ALGORITHMS}."
        ))
        .hint("Send the digest of the bytes of this request, or omit the header.")
}

/// The status that tus defines.
pub(super) fn mismatch() -> Problem {
    let status = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
    Problem::new(status, "The bytes do not have the announced checksum")
        .details("They were damaged on the way, or the digest is that of other bytes. None of them was kept.")
        .hint("Send the bytes again, from the same offset.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(value: &str) -> Option<bool> {
        let checksum = Checksum::parse(value).ok()?;
        let mut digests = Digests { file: None, request: Some(checksum) };
        digests.add(b"hello");
        digests.add(b" world");
        digests.request.map(Checksum::matches)
    }

    #[test]
    fn the_announced_digest_is_compared() {
        // From `printf 'hello world' | openssl dgst -sha1 -binary | base64`, and with -sha256.
        assert_eq!(matches("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="), Some(true));
        assert_eq!(matches("sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="), Some(true));
        assert_eq!(matches("sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA="), Some(false));
        for invalid in [
            "",
            "sha1",
            "sha1 ",
            "sha1 x",
            "md5 XrY7u+Ae7tCTyyK7j1rNww==",
            "sha1 XrY7u+Ae7tCTyyK7j1rNww==",
            "SHA1",
        ] {
            assert_eq!(matches(invalid), None, "{invalid}");
        }
    }
}
