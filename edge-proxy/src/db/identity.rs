//! The role, the claims and the request that a statement runs with.

use super::request::Request;
use super::turn::Work;
use crate::fair::Party;
use std::net::IpAddr;
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

/// The identity of a statement: a role, the claims that policies read, and the request that it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) role: Role,
    claims: Arc<str>,
    request: Arc<Request>,
    /// The signed-in user.
    user: Option<Arc<str>>,
    /// Whose share of the connections its statements use.
    party: Party,
    work: Work,
}

impl Caller {
    /// `claims` is the payload of a verified token, as it was signed. Without an address, it is the edge itself that acts.
    pub(crate) fn new(role: Role, claims: impl Into<Arc<str>>, user: Option<Arc<str>>) -> Self {
        let request = Arc::default();
        Self { role, claims: claims.into(), request, user, party: Party::edge(), work: Work::Short }
    }

    /// The same identity, in a request.
    pub(crate) fn in_request(self, request: impl Into<Request>) -> Self {
        Self { request: Arc::new(request.into()), ..self }
    }

    /// The same identity, of a client at `address`, whose share it uses.
    pub(crate) fn at(self, address: Option<IpAddr>) -> Self {
        let party = match (self.role, &self.user) {
            (Role::Service, _) => Party::service(),
            (Role::Authenticated, Some(user)) => Party::user(user, address),
            _ => Party::anonymous(address),
        };
        Self { party, ..self }
    }

    /// The same identity, for other statements than short ones.
    pub(crate) fn doing(&self, work: Work) -> Self {
        Self { work, ..self.clone() }
    }

    /// The same identity, for statements that may take long.
    pub(crate) fn long(&self) -> Self {
        self.doing(Work::Long)
    }

    /// The identity of the workers and the sweeper.
    pub(crate) fn service() -> Self {
        Self::new(Role::Service, r#"{"role":"service_role"}"#, None)
    }

    /// The service, reading for a client at `address` that has a signed URL instead of a token.
    pub(crate) fn service_for(address: Option<IpAddr>) -> Self {
        Self { party: Party::anonymous(address), ..Self::service() }
    }

    /// The payload, as it was signed.
    pub(crate) fn claims(&self) -> &str {
        &self.claims
    }

    /// The signed-in user, if the caller acts with the rights of one.
    pub(super) fn user(&self) -> Option<&Arc<str>> {
        self.user.as_ref().filter(|_| self.role == Role::Authenticated)
    }

    pub(super) fn party(&self) -> &Party {
        &self.party
    }

    pub(super) fn work(&self) -> Work {
        self.work
    }

    pub(super) fn request(&self) -> &Request {
        &self.request
    }
}
