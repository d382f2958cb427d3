//! Verifies a token and returns its claims.

use super::cache::TokenCache;
use super::jwks::{Jwks, PublicKey};
use super::token::Token;
use super::{AuthError, Claims};
use crate::config::Auth;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Accepts tokens that one of its keys signed.
pub(crate) struct Verifier {
    rules: Auth,
    secret: Option<DecodingKey>,
    jwks: Option<Arc<Jwks>>,
    cache: TokenCache,
}

impl Verifier {
    pub(crate) fn new(rules: Auth) -> Self {
        let jwks = rules.jwks_url.clone().map(|url| Arc::new(Jwks::new(url, rules.jwks_min_interval)));
        Self {
            secret: rules.secret.as_ref().map(|secret| DecodingKey::from_secret(secret.as_bytes())),
            cache: TokenCache::new(rules.cache_size),
            jwks,
            rules,
        }
    }

    /// The claims of a token that is signed, current, and for this audience and issuer.
    pub(crate) async fn verify(&self, token: &str) -> Result<Claims, AuthError> {
        let now = now();
        if let Some(claims) = self.cache.get(token) {
            return if claims.expired(now, self.rules.skew) { Err(AuthError::Expired) } else { Ok(claims) };
        }
        let claims = self.verify_uncached(&Token::parse(token)?, now).await?;
        self.cache.insert(token, &claims, now);
        Ok(claims)
    }

    /// How long a token is still accepted.
    pub(crate) fn valid_for(&self, claims: &Claims) -> Duration {
        Duration::from_secs(claims.expires().saturating_add(self.rules.skew).saturating_sub(now()))
    }

    /// Keeps the public keys up to date until the future is dropped.
    pub(crate) async fn keep_fresh(&self) {
        let Some(jwks) = &self.jwks else { return std::future::pending().await };
        loop {
            match jwks.refresh().await {
                Ok(changed) => {
                    if changed {
                        tracing::info!("the public keys have changed: {} keys verify tokens", jwks.len());
                    }
                    // The tokens of a withdrawn key must not stay in the cache.
                    self.cache.clear();
                }
                Err(error) => {
                    tracing::warn!("fetching the public keys failed: {}", crate::http::Chain(&*error));
                }
            }
            tokio::time::sleep(self.rules.jwks_refresh).await;
        }
    }

    /// The issuer's public keys, if `JWKS_URL` is set.
    pub(crate) fn jwks(&self) -> Option<&Arc<Jwks>> {
        self.jwks.as_ref()
    }

    async fn verify_uncached(&self, token: &Token<'_>, now: u64) -> Result<Claims, AuthError> {
        if let Some(jwks) = &self.jwks
            && let Some(claims) = self.by_public_key(&jwks.keys(), token, now)?
        {
            return Ok(claims);
        }
        if let Some(secret) = &self.secret
            && token.header.alg == "HS256"
        {
            check_signature(token, secret, Algorithm::HS256)?;
            return Claims::check(&token.payload()?, &self.rules, true, now);
        }
        let Some(jwks) = &self.jwks else { return Err(AuthError::Algorithm) };
        if !matches!(token.header.alg.as_str(), "ES256" | "RS256" | "EdDSA") {
            return Err(AuthError::Algorithm);
        }
        if jwks.refresh_for_unknown_key().await? {
            self.cache.clear();
        }
        self.by_public_key(&jwks.keys(), token, now)?.ok_or(AuthError::UnknownKey)
    }

    /// The claims if a public key matches. `None`: no known key does.
    fn by_public_key(
        &self,
        keys: &[PublicKey],
        token: &Token<'_>,
        now: u64,
    ) -> Result<Option<Claims>, AuthError> {
        let named = |key: &&PublicKey| match &token.header.kid {
            Some(kid) => key.kid.as_ref() == Some(kid),
            None => name(key.algorithm) == token.header.alg,
        };
        let mut outcome = Ok(());
        for key in keys.iter().filter(named) {
            outcome = check_signature(token, &key.key, key.algorithm);
            if outcome.is_ok() {
                return Claims::check(&token.payload()?, &self.rules, false, now).map(Some);
            }
        }
        outcome.map(|()| None)
    }
}

/// Checks that `key` made the signature, by the algorithm of the key.
fn check_signature(token: &Token<'_>, key: &DecodingKey, algorithm: Algorithm) -> Result<(), AuthError> {
    if token.header.alg != name(algorithm) {
        return Err(AuthError::Algorithm);
    }
    match crypto::verify(token.signature, token.signed.as_bytes(), key, algorithm) {
        Ok(true) => Ok(()),
        _ => Err(AuthError::Signature),
    }
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HS256 => "HS256",
        Algorithm::ES256 => "ES256",
        Algorithm::RS256 => "RS256",
        Algorithm::EdDSA => "EdDSA",
        // No key has another algorithm.
        _ => "",
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
