//! Verifies bearer tokens: from an `Authorization` header to [`Claims`].
//!
//! Invariant: the key determines the algorithm, never the token. The `alg` of its header can only disagree.
//! Invariant: knows nothing of Postgres except the role and the claims that a statement runs with.

mod cache;
mod claims;
mod fetch;
mod jwks;
mod signed_url;
mod token;
mod verify;

pub(crate) use claims::Claims;
pub(crate) use signed_url::{Signed, UrlSigner};
pub(crate) use verify::Verifier;

use crate::http::{ApiError, ClientFacing, Problem, client_address};
use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use std::sync::Arc;

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthError {
    #[error("The bearer token is missing")]
    Missing,
    #[error("The request has more than one Authorization header")]
    Repeated,
    #[error("The bearer token is an API key, not an access token")]
    ApiKey,
    #[error("The token is not a valid JWT")]
    NotAJwt,
    #[error("The token's claim {0} must be {1}")]
    Claim(&'static str, &'static str),
    #[error("The token has a claim that the database cannot store")]
    Unstorable,
    #[error("The token's algorithm does not match its key")]
    Algorithm,
    #[error("The token is signed with an unknown key")]
    UnknownKey,
    #[error("The token's signature is invalid")]
    Signature,
    #[error("The token has expired")]
    Expired,
    #[error("The token has no expiry (exp)")]
    NoExpiry,
    #[error("The token is not valid yet")]
    NotYet,
    #[error("The token is for another audience")]
    Audience,
    #[error("The token is from another issuer")]
    Issuer,
    #[error("The token's role must be anon, authenticated or service_role")]
    Role,
    #[error("The token of a signed-in user must have a subject (sub)")]
    Subject,
    #[error("The signature of this URL is invalid")]
    UrlSignature,
    #[error("This URL has expired")]
    UrlExpired,
    #[error("The keys that verify tokens are unavailable")]
    KeysUnavailable,
}

impl ClientFacing for AuthError {
    fn problem(&self) -> Problem {
        let status = match self {
            Self::KeysUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::UrlSignature | Self::UrlExpired => StatusCode::FORBIDDEN,
            Self::Repeated => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNAUTHORIZED,
        };
        let hint = match self {
            Self::Missing => "Send Authorization: Bearer <access token>.",
            Self::Repeated => "Send one Authorization header.",
            Self::ApiKey => {
                "Send keys that begin with sb_ in the apikey header, and the user's access token as the bearer token."
            }
            Self::Expired => "Refresh the session and send the new access token.",
            Self::Claim(..) => "Configure the issuer to send the claim in this form.",
            Self::Unstorable => {
                "Remove U+0000, unpaired surrogates and numbers beyond double precision from the user's metadata."
            }
            Self::Role => "Configure the issuer to add a role claim, usually \"authenticated\".",
            Self::UrlSignature | Self::UrlExpired => {
                "Request a new one with POST /api/documents/{id}/urls, and use it unchanged."
            }
            Self::KeysUnavailable => "Retry in a moment.",
            _ => "Send an access token from this project's auth server.",
        };
        Problem::new(status, self.to_string()).hint(hint)
    }
}

/// Carries the user to the listener for the log line of the request. The listener removes it from the response.
pub(crate) const USER_HEADER: &str = "x-dossier-user";

impl<S> FromRequestParts<S> for Claims
where
    S: Send + Sync,
    Arc<Verifier>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let verifier = Arc::<Verifier>::from_ref(state);
        let mut claims = verifier.verify(bearer(&parts.headers)?).await?;
        claims.caller = claims.caller.in_request(&*parts).at(client_address(&parts.headers));
        if let (Some(seen), Some(user)) = (parts.extensions.get::<SeenUser>(), claims.user()) {
            seen.set(user);
        }
        Ok(claims)
    }
}

/// The user of a verified token, for the log line.
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
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthError::Missing)?;
    if values.next().is_some() {
        return Err(AuthError::Repeated);
    }
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
    fn only_a_bearer_token_is_accepted() {
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
        let mut two = HeaderMap::new();
        two.append(header::AUTHORIZATION, "Bearer abc".parse().unwrap());
        two.append(header::AUTHORIZATION, "Bearer abc".parse().unwrap());
        assert_eq!(bearer(&two), Err(AuthError::Repeated), "a server in front might have judged the other");
    }
}
