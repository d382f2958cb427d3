//! The structure of a JWT: three parts, a header and a payload. Nothing here is trusted yet.

use super::AuthError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Longer tokens are refused. Supabase's have less than 2 KiB, and cookies at most 4.
const LONGEST: usize = 16 * 1024;

/// A token taken apart.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) header: Header,
    /// The signed part: `header.payload`, still encoded.
    pub(super) signed: &'a str,
    pub(super) signature: &'a str,
    payload: &'a str,
}

/// The header. It only helps to find the key.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    /// Extensions that the recipient must support. None is supported.
    crit: Option<IgnoredAny>,
}

impl<'a> Token<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, AuthError> {
        if token.starts_with("sb_") {
            return Err(AuthError::ApiKey);
        }
        if token.len() > LONGEST {
            return Err(AuthError::NotAJwt);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(AuthError::NotAJwt)?;
        let (header, payload) = signed.split_once('.').ok_or(AuthError::NotAJwt)?;
        if payload.contains('.') {
            return Err(AuthError::NotAJwt);
        }
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| AuthError::NotAJwt)?;
        if header.crit.is_some() {
            return Err(AuthError::NotAJwt);
        }
        Ok(Self { header, signed, signature, payload })
    }

    /// The payload as text, which Postgres receives once the signature is verified.
    pub(super) fn payload(&self) -> Result<String, AuthError> {
        String::from_utf8(decode(self.payload)?).map_err(|_| AuthError::NotAJwt)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, AuthError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| AuthError::NotAJwt)
}
