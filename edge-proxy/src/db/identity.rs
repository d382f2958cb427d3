//! The role and the claims that a statement runs with.

use std::sync::Arc;

/// The roles that a request may run as. There is no other way to name a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Anon,
    Authenticated,
    Service,
}

impl Role {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Anon => "anon",
            Self::Authenticated => "authenticated",
            Self::Service => "service_role",
        }
    }
}

/// The identity of a statement: a role, and the claims that policies read.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) role: Role,
    claims: Arc<str>,
}

impl Caller {
    /// `claims` is the payload of a verified token, as it was signed.
    pub(crate) fn new(role: Role, claims: impl Into<Arc<str>>) -> Self {
        Self { role, claims: claims.into() }
    }

    /// The identity of the workers and the sweeper.
    pub(crate) fn service() -> Self {
        Self::new(Role::Service, r#"{"role":"service_role"}"#)
    }

    /// The payload, as it was signed.
    pub(crate) fn claims(&self) -> &str {
        &self.claims
    }
}
