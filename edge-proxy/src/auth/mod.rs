//! Who is asking: from a bearer token to a verified [`Claims`], and nothing else.
//!
//! Invariant: the algorithm comes from the key, never from the token; the header's `alg` can only disagree.
//! Invariant: knows nothing of Postgres beyond the role and the claims that a statement runs with.

mod cache;
mod claims;
mod jwks;
mod token;
mod verify;

pub(crate) use claims::Claims;
pub(crate) use verify::Verifier;

use crate::http::{ApiError, ClientFacing, Problem};
use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use std::sync::Arc;

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthError {
    #[error("a bearer token is missing")]
    Missing,
    #[error("this is an API key, not a user's token")]
    ApiKey,
    #[error("the token is not a JWT")]
    NotAJwt,
    #[error("the token's algorithm is not the one its key is for")]
    Algorithm,
    #[error("the token is signed with a key that is not known here")]
    UnknownKey,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token has expired")]
    Expired,
    #[error("the token has no expiry (exp)")]
    NoExpiry,
    #[error("the token is not valid yet")]
    NotYet,
    #[error("the token is for another audience")]
    Audience,
    #[error("the token is from another issuer")]
    Issuer,
    #[error("the token's role must be anon, authenticated or service_role")]
    Role,
    #[error("the token of a signed-in user must say who that is (sub)")]
    Subject,
    #[error("the keys that verify tokens cannot be fetched now")]
    KeysUnavailable,
}

impl ClientFacing for AuthError {
    fn problem(&self) -> Problem {
        let status = match self {
            Self::KeysUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        };
        let hint = match self {
            Self::Missing => "Send Authorization: Bearer <access token>.",
            Self::ApiKey => {
                "Keys that begin with sb_ belong in the apikey header; send the user's access token as bearer."
            }
            Self::Expired => "Refresh the session and send the new access token.",
            Self::Role => "Third-party issuers must add a role claim, usually \"authenticated\".",
            Self::KeysUnavailable => "Try again in a moment.",
            _ => "Send an access token that this project's auth server issued.",
        };
        Problem::new(status, self.to_string()).hint(hint)
    }
}

/// The user, for the log line of the request: the gate writes it, and takes this header off again.
pub(crate) const USER_HEADER: &str = "x-dossier-user";

impl<S> FromRequestParts<S> for Claims
where
    S: Send + Sync,
    Arc<Verifier>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let verifier = Arc::<Verifier>::from_ref(state);
        let claims = verifier.verify(bearer(&parts.headers)?).await?;
        if let (Some(seen), Some(user)) = (parts.extensions.get::<SeenUser>(), claims.user()) {
            seen.set(user);
        }
        Ok(claims)
    }
}

/// Where the extractor leaves the user for the log line.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeenUser(Arc<std::sync::OnceLock<String>>);

impl SeenUser {
    fn set(&self, user: &str) {
        let _ = self.0.set(user.to_owned());
    }

    pub(crate) fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, AuthError> {
    let value = headers.get(header::AUTHORIZATION).ok_or(AuthError::Missing)?;
    let value = value.to_str().map_err(|_| AuthError::NotAJwt)?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {
            Ok(token.trim())
        }
        _ => Err(AuthError::Missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_token_counts() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(with("Bearer abc"), Ok("abc".to_owned()));
        assert_eq!(with("bearer  abc "), Ok("abc".to_owned()));
        for value in ["Basic abc", "Bearer ", "Bearer", "abc"] {
            assert_eq!(with(value), Err(AuthError::Missing), "{value}");
        }
        assert_eq!(bearer(&HeaderMap::new()), Err(AuthError::Missing));
    }
}
