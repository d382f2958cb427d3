//! URLs that need no token until they expire, for places that cannot send one, such as `<img src>`.
//!
//! Invariant: a signature covers one resource of one document and its expiry. Anyone who holds the URL may read that, and
//! nothing else. Permission is checked when the URL is made.

use super::AuthError;
use crate::config::Auth;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Separates the key from every other use of the secret that it is derived from.
const PURPOSE: &[u8] = b"dossier: signed URLs, version 1";

/// The resources of a document that have signed URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Content,
    Thumbnail,
}

impl Signed {
    /// The last segment of the path.
    fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Thumbnail => "thumbnail",
        }
    }
}

/// Signs URLs, and verifies them. All edges of a project must have the same secret.
pub(crate) struct UrlSigner(Key);

impl UrlSigner {
    /// `None` if there is no secret to sign with.
    pub(crate) fn new(rules: &Auth) -> Option<Self> {
        let secret = rules.url_secret.as_ref().or(rules.secret.as_ref())?;
        let derived = sign(&Key::new(HMAC_SHA256, secret.as_bytes()), PURPOSE);
        Some(Self(Key::new(HMAC_SHA256, derived.as_ref())))
    }

    /// The path and query of a resource until `expires`, in seconds since 1970.
    pub(crate) fn url(&self, resource: Signed, document: Uuid, expires: u64) -> String {
        let signature = URL_SAFE_NO_PAD.encode(sign(&self.0, &message(resource, document, expires)));
        let name = resource.name();
        format!("/api/documents/{document}/{name}?expires={expires}&signature={signature}")
    }

    /// Checks the query of a URL at the time `now`.
    pub(crate) fn check(
        &self,
        resource: Signed,
        document: Uuid,
        expires: u64,
        signature: &str,
        now: u64,
    ) -> Result<(), AuthError> {
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| AuthError::UrlSignature)?;
        verify(&self.0, &message(resource, document, expires), &signature)
            .map_err(|_| AuthError::UrlSignature)?;
        if now >= expires { Err(AuthError::UrlExpired) } else { Ok(()) }
    }
}

fn message(resource: Signed, document: Uuid, expires: u64) -> Vec<u8> {
    format!("{}\n{document}\n{expires}", resource.name()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_one_resource_one_document_and_one_time() {
        let signer = |secret: &str| UrlSigner::new(&Auth::for_testing(Some(secret))).unwrap();
        let (ours, id) = (signer("0123456789abcdef0123456789abcdef"), Uuid::from_u128(7));
        let url = ours.url(Signed::Content, id, 1000);
        let signature = url.rsplit_once("&signature=").unwrap().1;
        assert_eq!(url.split_once('&').unwrap().0, format!("/api/documents/{id}/content?expires=1000"));
        assert_eq!(ours.check(Signed::Content, id, 1000, signature, 999), Ok(()));
        assert_eq!(ours.check(Signed::Content, id, 1000, signature, 1000), Err(AuthError::UrlExpired));
        for (resource, document, expires, signature) in [
            (Signed::Thumbnail, id, 1000, signature),
            (Signed::Content, Uuid::from_u128(8), 1000, signature),
            (Signed::Content, id, 1001, signature),
            (Signed::Content, id, 1000, ""),
            (Signed::Content, id, 1000, "%%%"),
            (Signed::Content, id, 1000, &signature[1..]),
            (Signed::Content, id, 1000, &format!("{signature}A")),
        ] {
            let checked = ours.check(resource, document, expires, signature, 999);
            assert_eq!(
                checked,
                Err(AuthError::UrlSignature),
                "{resource:?} {document} {expires} {signature}"
            );
        }
        let other = signer("0123456789abcdef0123456789abcdeX");
        assert_eq!(other.check(Signed::Content, id, 1000, signature, 999), Err(AuthError::UrlSignature));
        assert!(UrlSigner::new(&Auth::for_testing(None)).is_none());
    }
}
