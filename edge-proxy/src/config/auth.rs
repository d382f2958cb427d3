//! Whose tokens are believed.

use super::ConfigError;
use std::fmt;
use std::time::Duration;

/// Shorter secrets can be guessed from one token, offline.
const SHORTEST_SECRET: usize = 32;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Tokens")]
pub(super) struct Args {
    /// The secret that signs HS256 tokens, as Supabase's JWT secret (at least 32 characters)
    #[arg(long, env = "JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    jwt_secret: Option<String>,
    /// Where the public keys of ES256, RS256 and `EdDSA` tokens are, as a JWKS document
    #[arg(long, env = "JWKS_URL", value_name = "URL")]
    jwks_url: Option<String>,
    /// The issuer (`iss`) that tokens must name; any when not given
    #[arg(long, env = "JWT_ISSUER", value_name = "ISSUER")]
    jwt_issuer: Option<String>,
    /// The audience (`aud`) that tokens must name; empty: any
    #[arg(long, env = "JWT_AUDIENCE", default_value = "authenticated", value_name = "AUDIENCE")]
    jwt_audience: String,
    /// How far clocks may differ when `exp` and `nbf` are checked
    #[arg(long, env = "JWT_SKEW_SECONDS", default_value_t = 30, value_name = "N")]
    jwt_skew_seconds: u64,
    /// How often the JWKS document is read again, so that withdrawn keys go
    #[arg(long, env = "JWKS_REFRESH_SECONDS", default_value_t = 600, value_name = "N")]
    jwks_refresh_seconds: u64,
    /// An unknown key id makes the JWKS document be read again, but not more often than this
    #[arg(long, env = "JWKS_MIN_INTERVAL_SECONDS", default_value_t = 10, value_name = "N")]
    jwks_min_interval_seconds: u64,
    /// How many verified tokens are remembered
    #[arg(long, env = "JWT_CACHE_SIZE", default_value_t = 1024, value_name = "N")]
    jwt_cache_size: usize,
}

/// Whose tokens are believed. At least one of `secret` and `jwks_url` is there.
#[derive(Clone)]
pub(crate) struct Auth {
    pub(crate) secret: Option<String>,
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
                "neither JWT_SECRET nor JWKS_URL is set, so no token could be verified",
                "Set JWT_SECRET (the project's JWT secret) or JWKS_URL \
                 (https://<project>.supabase.co/auth/v1/.well-known/jwks.json), or both.",
            ));
        }
        if self.jwt_secret.as_ref().is_some_and(|secret| secret.len() < SHORTEST_SECRET) {
            return Err(ConfigError::new(
                "JWT_SECRET",
                format!("shorter than {SHORTEST_SECRET} characters"),
                "Use the stack's JWT secret, or make one: openssl rand -hex 32",
            ));
        }
        Ok(Auth {
            secret: self.jwt_secret,
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
            "For Supabase it is https://<project>.supabase.co/auth/v1/.well-known/jwks.json",
        )
    })
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("secret", &self.secret.as_ref().map(|_| "***"))
            .field("jwks_url", &self.jwks_url)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Auth {
    /// HS256 by `secret`, everything else by default.
    pub(crate) fn for_testing(secret: Option<&str>) -> Self {
        Self {
            secret: secret.map(str::to_owned),
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
