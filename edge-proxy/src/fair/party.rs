//! On whose behalf a place is taken.

use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// A party that has a share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    /// A caller with `service_role`: the backend of an app, which acts for many users.
    Service,
    User(Arc<str>),
    Organization(Uuid),
    /// Callers without a user, or users without an organization.
    Address(Option<IpAddr>),
}

/// A user within a group: an organization, or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Party {
    pub(super) user: Name,
    pub(super) group: Name,
    /// Whether the edge works on its own behalf. It takes what it needs, and that is little.
    pub(super) is_edge: bool,
}

impl Party {
    /// The edge itself: its jobs and its upkeep.
    pub(crate) fn edge() -> Self {
        Self { user: Name::Service, group: Name::Service, is_edge: true }
    }

    /// A caller with `service_role`. Only the limit of an organization applies to it.
    pub(crate) fn service() -> Self {
        Self { is_edge: false, ..Self::edge() }
    }

    /// A caller without a user.
    pub(crate) fn anonymous(address: Option<IpAddr>) -> Self {
        let address = Name::Address(address.map(network));
        Self { user: address.clone(), group: address, is_edge: false }
    }

    /// A user without an organization, or before the organization is known.
    pub(crate) fn user(user: &str, address: Option<IpAddr>) -> Self {
        Self { user: Name::User(user.into()), ..Self::anonymous(address) }
    }

    /// The same user in an organization.
    pub(crate) fn in_organization(&self, organization: Uuid) -> Self {
        Self { group: Name::Organization(organization), ..self.clone() }
    }
}

/// The part of an address that a client cannot choose: of IPv6, the first 64 bits.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}
