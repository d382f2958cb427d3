//! The issuer's public keys: fetched over HTTP, cached, and fetched again for an unknown key.
//!
//! Invariant: only asymmetric signing keys are accepted. A symmetric key in a public document is ignored.

use super::AuthError;
use super::fetch::{FetchError, get};
use http::Uri;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

const TIMEOUT: Duration = Duration::from_secs(5);

/// A public key and its only algorithm.
pub(super) struct PublicKey {
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// The keys of one issuer.
pub(crate) struct Jwks {
    url: Uri,
    min_interval: Duration,
    keys: RwLock<Arc<[PublicKey]>>,
    /// Locked while fetching, so that a burst of unknown keys causes one request.
    last_fetch: Mutex<Option<(Instant, bool)>>,
}

impl Jwks {
    pub(super) fn new(url: Uri, min_interval: Duration) -> Self {
        Self { url, min_interval, keys: RwLock::new(Arc::new([])), last_fetch: Mutex::new(None) }
    }

    pub(super) fn keys(&self) -> Arc<[PublicKey]> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Fetches the document again, unless it was just fetched. Returns whether the keys changed.
    pub(super) async fn refresh_for_unknown_key(&self) -> Result<bool, AuthError> {
        let asked = Instant::now();
        let mut last = self.last_fetch.lock().await;
        match *last {
            // Another request fetched it while this one waited for the lock.
            Some((at, succeeded)) if at >= asked => {
                return if succeeded { Ok(true) } else { Err(AuthError::KeysUnavailable) };
            }
            Some((at, true)) if at.elapsed() < self.min_interval => return Ok(false),
            Some((at, false)) if at.elapsed() < self.min_interval => return Err(AuthError::KeysUnavailable),
            _ => {}
        }
        let outcome = self.fetch().await;
        *last = Some((Instant::now(), outcome.is_ok()));
        match outcome {
            Ok(keys) => Ok(self.replace(keys)),
            Err(error) => {
                tracing::warn!(
                    "fetching the public keys from {} failed: {}",
                    self.url,
                    crate::http::Chain(&*error)
                );
                Err(AuthError::KeysUnavailable)
            }
        }
    }

    /// Fetches the document now. Returns whether the keys changed.
    pub(crate) async fn refresh(&self) -> Result<bool, FetchError> {
        let mut last = self.last_fetch.lock().await;
        let outcome = self.fetch().await;
        *last = Some((Instant::now(), outcome.is_ok()));
        Ok(self.replace(outcome?))
    }

    /// The number of known keys.
    pub(crate) fn len(&self) -> usize {
        self.keys().len()
    }

    fn replace(&self, new: Vec<PublicKey>) -> bool {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let same = keys.len() == new.len()
            && keys.iter().zip(&new).all(|(old, new)| old.kid == new.kid && old.algorithm == new.algorithm);
        // A key id may be reused for a new key, so the keys are always replaced.
        *keys = new.into();
        !same
    }

    async fn fetch(&self) -> Result<Vec<PublicKey>, FetchError> {
        let document = tokio::time::timeout(TIMEOUT, get(&self.url)).await.map_err(|_| "timed out")??;
        parse(&document)
    }
}

/// The usable keys of a document. Others, such as keys for encryption, are ignored.
fn parse(document: &[u8]) -> Result<Vec<PublicKey>, FetchError> {
    #[derive(Deserialize)]
    struct Document {
        keys: Vec<serde_json::Value>,
    }
    let document: Document =
        serde_json::from_slice(document).map_err(|error| format!("not a JWKS document ({error})"))?;
    Ok(document.keys.into_iter().filter_map(|key| usable(&serde_json::from_value(key).ok()?)).collect())
}

fn usable(jwk: &Jwk) -> Option<PublicKey> {
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    if jwk.common.key_algorithm.is_some_and(|declared| declared != name) {
        return None;
    }
    Some(PublicKey { kid: jwk.common.key_id.clone(), algorithm, key: DecodingKey::from_jwk(jwk).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_signing_keys_are_taken() {
        let keys = parse(
            br#"{"keys":[
              {"kty":"oct","k":"c2VjcmV0","kid":"symmetric","alg":"HS256"},
              {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"ed"},
              {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"enc"},
              {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"HS256"},
              {"kty":"RSA","n":"AQAB","e":"AQAB","alg":"RSA-OAEP"},
              {"kty":"something new"}
            ]}"#,
        )
        .unwrap();
        let kids: Vec<_> = keys.iter().map(|key| (key.kid.as_deref(), key.algorithm)).collect();
        assert_eq!(kids, [(Some("ed"), Algorithm::EdDSA)]);
        assert!(parse(b"<html>").is_err());
    }
}
