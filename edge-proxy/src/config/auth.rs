//! Which tokens are accepted.

use super::ConfigError;
use std::fmt;
use std::time::Duration;

/// A shorter secret could be guessed offline from a single token.
const SHORTEST_SECRET: usize = 32;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Tokens")]
pub(super) struct Args {
    /// The secret that signs HS256 tokens (Supabase: the JWT secret), at least 32 characters
    #[arg(long, env = "JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    jwt_secret: Option<String>,
    /// The secret that signs URLs, at least 32 characters, the same on every edge. Unset: derived from `JWT_SECRET`
    #[arg(long, env = "URL_SECRET", hide_env_values = true, value_name = "SECRET")]
    url_secret: Option<String>,
    /// URL of the JWKS document with the public keys for ES256, RS256 and `EdDSA` tokens
    #[arg(long, env = "JWKS_URL", value_name = "URL")]
    jwks_url: Option<String>,
    /// The issuer (`iss`) that tokens must have. Unset: any
    #[arg(long, env = "JWT_ISSUER", value_name = "ISSUER")]
    jwt_issuer: Option<String>,
    /// The audience (`aud`) that tokens must have. Empty: any
    #[arg(long, env = "JWT_AUDIENCE", default_value = "authenticated", value_name = "AUDIENCE")]
    jwt_audience: String,
    /// Clock difference in seconds that is tolerated when `exp` and `nbf` are checked
    #[arg(long, env = "JWT_SKEW_SECONDS", default_value_t = 30, value_name = "N")]
    jwt_skew_seconds: u64,
    /// Interval in seconds for fetching the JWKS document again, so that withdrawn keys disappear
    #[arg(long, env = "JWKS_REFRESH_SECONDS", default_value_t = 600, value_name = "N")]
    jwks_refresh_seconds: u64,
    /// Minimum interval in seconds between fetches of the JWKS document for unknown keys
    #[arg(long, env = "JWKS_MIN_INTERVAL_SECONDS", default_value_t = 10, value_name = "N")]
    jwks_min_interval_seconds: u64,
    /// Number of verified tokens to cache. 0: none
    #[arg(long, env = "JWT_CACHE_SIZE", default_value_t = 1024, value_name = "N")]
    jwt_cache_size: usize,
}

/// Which tokens are accepted. At least one of `secret` and `jwks_url` is set.
#[derive(Clone)]
pub(crate) struct Auth {
    pub(crate) secret: Option<String>,
    pub(crate) url_secret: Option<String>,
    pub(crate) jwks_url: Option<http::Uri>,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) skew: u64,
    pub(crate) jwks_refresh: Duration,
    pub(crate) jwks_min_interval: Duration,
    pub(crate) cache_size: usize,
}

impl Args {
    pub(super) fn check(self) -> Result<Auth, ConfigError> {
        if self.jwt_secret.is_none() && self.jwks_url.is_none() {
            return Err(ConfigError::new(
                "JWT_SECRET",
                "neither JWT_SECRET nor JWKS_URL is set, so no token can be verified",
                "Set JWT_SECRET (the project's JWT secret) or JWKS_URL \
                 (https://<project>.supabase.co/auth/v1/.well-known/jwks.json), or both.",
            ));
        }
        if self.jwt_secret.as_ref().is_some_and(|secret| secret.len() < SHORTEST_SECRET) {
            return Err(ConfigError::new(
                "JWT_SECRET",
                format!("shorter than {SHORTEST_SECRET} characters"),
                "Use the stack's JWT secret, or create one: openssl rand -hex 32",
            ));
        }
        if self.url_secret.as_ref().is_some_and(|secret| secret.len() < SHORTEST_SECRET) {
            return Err(ConfigError::new(
                "URL_SECRET",
                format!("shorter than {SHORTEST_SECRET} characters"),
                "Create one: openssl rand -hex 32",
            ));
        }
        Ok(Auth {
            secret: self.jwt_secret,
            url_secret: self.url_secret,
            jwks_url: self.jwks_url.as_deref().map(jwks_url).transpose()?,
            issuer: self.jwt_issuer.filter(|issuer| !issuer.is_empty()),
            audience: Some(self.jwt_audience).filter(|audience| !audience.is_empty()),
            skew: self.jwt_skew_seconds,
            jwks_refresh: Duration::from_secs(self.jwks_refresh_seconds.max(1)),
            jwks_min_interval: Duration::from_secs(self.jwks_min_interval_seconds),
            cache_size: self.jwt_cache_size,
        })
    }
}

fn jwks_url(url: &str) -> Result<http::Uri, ConfigError> {
    super::listener::http_url(url).map_err(|problem| {
        ConfigError::new(
            "JWKS_URL",
            problem,
            "For Supabase, set https://<project>.supabase.co/auth/v1/.well-known/jwks.json.",
        )
    })
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("secret", &self.secret.as_ref().map(|_| "***"))
            .field("url_secret", &self.url_secret.as_ref().map(|_| "***"))
            .field("jwks_url", &self.jwks_url)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Auth {
    /// HS256 with `secret`, and defaults for everything else.
    pub(crate) fn for_testing(secret: Option<&str>) -> Self {
        Self {
            secret: secret.map(str::to_owned),
            url_secret: None,
            jwks_url: None,
            issuer: None,
            audience: Some("authenticated".to_owned()),
            skew: 30,
            jwks_refresh: Duration::from_mins(10),
            jwks_min_interval: Duration::from_secs(10),
            cache_size: 16,
        }
    }
}
