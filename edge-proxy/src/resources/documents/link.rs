//! `POST /api/documents/{id}/urls`: signed URLs of a document, and the callers that a resource with such URLs serves.
//!
//! Invariant: a signed URL reads as the service, so each statement that it may run excludes the trash itself. Policies do that
//! for users.

use crate::app::App;
use crate::auth::{AuthError, Claims, Signed};
use crate::db::Caller;
use crate::http::{ApiError, Id, NoKeys, OptionalJson, Problem, Query, client_address, found};
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio_postgres::types::Type;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// How long a URL is valid, in seconds: by default and at most.
const USUAL: u32 = 3600;
const LONGEST: u32 = 24 * 3600;

/// SQL: whether the session of the document `d` is not in the trash.
macro_rules! outside_the_trash {
    () => {
        "exists (select from dossier.sessions as s where s.id = d.session_id and s.deleted_at is null)"
    };
}
pub(super) use outside_the_trash;

/// The thumbnail may still be made. Until then its URL responds with 404, like the path without a signature.
const URLS: &str = "select json_build_object('content', $2::text, 'thumbnail', $3::text, 'expires_at', to_timestamp($4))::text \
                    from dossier.documents as d where d.id = $1";

/// The body of `POST /api/documents/{id}/urls`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lifetime {
    /// How many seconds the URLs are valid: 3600 by default.
    #[schema(minimum = 1, maximum = 86_400)]
    expires_in: Option<u32>,
}

/// `POST /api/documents/{id}/urls`.
pub(crate) async fn urls(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
    OptionalJson(lifetime): OptionalJson<Lifetime>,
) -> Result<Response, ApiError> {
    let signer = app.urls.as_ref().ok_or_else(no_secret)?;
    let seconds = lifetime.expires_in.unwrap_or(USUAL);
    if !(1..=LONGEST).contains(&seconds) {
        return Err(Problem::bad_request(format!("expires_in must be between 1 and {LONGEST} seconds"))
            .details(format!("It is {seconds}."))
            .hint("Request new URLs when the old ones expire.")
            .into());
    }
    let expires = now() + u64::from(seconds);
    let (content, thumbnail) =
        (signer.url(Signed::Content, id, expires), signer.url(Signed::Thumbnail, id, expires));
    #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
    let expires = expires as f64;
    let params = [
        (&id as _, Type::UUID),
        (&content as _, Type::TEXT),
        (&thumbnail as _, Type::TEXT),
        (&expires as _, Type::FLOAT8),
    ];
    found(app.db.as_caller(&claims.caller).json(URLS, &params).await?, "document", id)
}

/// The query of a resource that has signed URLs.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Link {
    /// Of a signed URL: until when it is valid, in seconds since 1970.
    expires: Option<u64>,
    /// Of a signed URL.
    signature: Option<String>,
}

impl Link {
    /// The identity to read a resource with: the service for a signed URL, otherwise the caller of the token.
    pub(super) fn reader(
        self,
        app: &App,
        claims: Result<Claims, ApiError>,
        resource: Signed,
        document: Uuid,
        headers: &HeaderMap,
    ) -> Result<Caller, ApiError> {
        let (expires, signature) = match (self.expires, self.signature) {
            (None, None) => return Ok(claims?.caller),
            (Some(expires), Some(signature)) => (expires, signature),
            _ => return Err(AuthError::UrlSignature.into()),
        };
        let signer = app.urls.as_ref().ok_or_else(no_secret)?;
        signer.check(resource, document, expires, &signature, now())?;
        Ok(Caller::service_for(client_address(headers)))
    }
}

fn no_secret() -> Problem {
    Problem::new(StatusCode::NOT_IMPLEMENTED, "This edge has no secret to sign URLs with")
        .details("Tokens are verified with public keys alone (JWKS_URL).")
        .hint("Ask the operator to set URL_SECRET, to the same value on every edge.")
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
