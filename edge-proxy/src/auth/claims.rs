//! The claims of a verified token: the checks, and what Postgres receives.

use super::AuthError;
use crate::config::Auth;
use crate::db::{Caller, Role};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// The claims of a verified token.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    /// The role and the payload that statements run with.
    pub(crate) caller: Caller,
    user: Option<Arc<str>>,
    expires: u64,
}

impl Claims {
    /// The signed-in user. API keys have none.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// When the token expires, in seconds since 1970.
    pub(super) fn expires(&self) -> u64 {
        self.expires
    }

    /// Whether the token has expired, if clocks differ by at most `skew` seconds.
    pub(super) fn expired(&self, now: u64, skew: u64) -> bool {
        now > self.expires.saturating_add(skew)
    }

    /// Checks a payload whose signature is valid. `secret`: it was signed with the shared secret.
    pub(super) fn check(payload: &str, rules: &Auth, secret: bool, now: u64) -> Result<Self, AuthError> {
        let claims = Payload::read(payload)?;
        let role = match claims.role.as_deref() {
            Some("anon") => Role::Anon,
            Some("authenticated") => Role::Authenticated,
            Some("service_role") => Role::Service,
            _ => return Err(AuthError::Role),
        };
        let expires = claims.exp.and_then(NumericDate::seconds).ok_or(AuthError::NoExpiry)?;
        let user: Option<Arc<str>> = claims.sub.as_deref().filter(|sub| !sub.is_empty()).map(Into::into);
        let checked = Self { caller: Caller::new(role, payload, user.clone()), user, expires };
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

/// The claims that are checked. `None`: missing, or null.
struct Payload<'a> {
    role: Option<Cow<'a, str>>,
    sub: Option<Cow<'a, str>>,
    iss: Option<Cow<'a, str>>,
    aud: Option<Audience>,
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
}

/// The claims as they were sent, so that one of the wrong type can be named.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    sub: Option<&'a RawValue>,
    #[serde(borrow)]
    iss: Option<&'a RawValue>,
    #[serde(borrow)]
    aud: Option<&'a RawValue>,
    #[serde(borrow)]
    exp: Option<&'a RawValue>,
    #[serde(borrow)]
    nbf: Option<&'a RawValue>,
}

impl<'a> Payload<'a> {
    fn read(payload: &'a str) -> Result<Self, AuthError> {
        let sent: Sent<'a> = serde_json::from_str(payload).map_err(|_| AuthError::NotAJwt)?;
        let claims = Self {
            role: text("role", sent.role)?,
            sub: text("sub", sent.sub)?,
            iss: text("iss", sent.iss)?,
            aud: typed("aud", "a string or a list of strings", sent.aud)?,
            exp: typed("exp", "a number", sent.exp)?,
            nbf: typed("nbf", "a number", sent.nbf)?,
        };
        // Every statement gets the whole payload, and Postgres would refuse each.
        match serde_json::from_str::<Value>(payload) {
            Ok(value) if !has_nul(&value) => Ok(claims),
            _ => Err(AuthError::Unstorable),
        }
    }
}

fn text<'a>(name: &'static str, sent: Option<&'a RawValue>) -> Result<Option<Cow<'a, str>>, AuthError> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    Ok(typed(name, "a string", sent)?.map(|Text(text)| text))
}

fn typed<'a, T: Deserialize<'a>>(
    name: &'static str,
    kind: &'static str,
    sent: Option<&'a RawValue>,
) -> Result<Option<T>, AuthError> {
    let read = sent.map(|sent| serde_json::from_str(sent.get()));
    read.transpose().map_err(|_| AuthError::Claim(name, kind))
}

/// Whether a string or a key contains U+0000. The depth is bounded: `serde_json` has parsed the value.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
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
