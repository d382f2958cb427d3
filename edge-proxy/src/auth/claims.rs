//! The claims of a verified token: the checks, and what Postgres receives.

use super::AuthError;
use crate::config::Auth;
use crate::db::{Caller, Role};
use serde::Deserialize;
use std::borrow::Cow;

/// The claims of a verified token.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    /// The role and the payload that statements run with.
    pub(crate) caller: Caller,
    user: Option<std::sync::Arc<str>>,
    expires: u64,
}

impl Claims {
    /// The signed-in user. API keys have none.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Whether the token has expired, if clocks differ by at most `skew` seconds.
    pub(super) fn expired(&self, now: u64, skew: u64) -> bool {
        now > self.expires.saturating_add(skew)
    }

    /// Checks a payload whose signature is valid. `secret`: it was signed with the shared secret.
    pub(super) fn check(payload: &str, rules: &Auth, secret: bool, now: u64) -> Result<Self, AuthError> {
        let claims: Payload<'_> = serde_json::from_str(payload).map_err(|_| AuthError::NotAJwt)?;
        let role = match claims.role.as_deref() {
            Some("anon") => Role::Anon,
            Some("authenticated") => Role::Authenticated,
            Some("service_role") => Role::Service,
            _ => return Err(AuthError::Role),
        };
        let expires = claims.exp.and_then(NumericDate::seconds).ok_or(AuthError::NoExpiry)?;
        let checked = Self {
            caller: Caller::new(role, payload),
            user: claims.sub.as_deref().filter(|sub| !sub.is_empty()).map(Into::into),
            expires,
        };
        if checked.expired(now, rules.skew) {
            return Err(AuthError::Expired);
        }
        if let Some(not_before) = claims.nbf {
            let not_before = not_before.seconds().ok_or(AuthError::NotYet)?;
            if not_before > now.saturating_add(rules.skew) {
                return Err(AuthError::NotYet);
            }
        }
        if role == Role::Authenticated && checked.user.is_none() {
            return Err(AuthError::Subject);
        }
        // A project's own anon and service_role keys are signed with its secret. They have no subject, no audience, and an
        // issuer ("supabase") other than the auth server.
        let legacy_key = secret && checked.user.is_none();
        check_audience(&claims, rules, legacy_key)?;
        check_issuer(&claims, rules, legacy_key)?;
        Ok(checked)
    }
}

fn check_audience(claims: &Payload<'_>, rules: &Auth, legacy_key: bool) -> Result<(), AuthError> {
    let Some(expected) = &rules.audience else { return Ok(()) };
    match &claims.aud {
        None if legacy_key => Ok(()),
        Some(Audience::One(audience)) if audience == expected => Ok(()),
        Some(Audience::Many(audiences)) if audiences.iter().any(|audience| audience == expected) => Ok(()),
        _ => Err(AuthError::Audience),
    }
}

fn check_issuer(claims: &Payload<'_>, rules: &Auth, legacy_key: bool) -> Result<(), AuthError> {
    match &rules.issuer {
        Some(expected) if !legacy_key && claims.iss.as_deref() != Some(expected) => Err(AuthError::Issuer),
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sub: Option<Cow<'a, str>>,
    #[serde(borrow)]
    iss: Option<Cow<'a, str>>,
    aud: Option<Audience>,
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Seconds since 1970. RFC 7519 allows a fraction.
#[derive(Deserialize, Clone, Copy)]
struct NumericDate(f64);

impl NumericDate {
    /// `None` for dates outside the range of a clock.
    fn seconds(self) -> Option<u64> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        (self.0.is_finite() && (0.0..1e15).contains(&self.0)).then_some(self.0 as u64)
    }
}
