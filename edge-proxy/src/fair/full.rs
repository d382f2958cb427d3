//! Why no place is free.

use super::Name;
use std::time::Duration;

/// Which share is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    User,
    /// Of an organization, or of an address.
    Group,
    /// Everybody's together.
    All,
}

/// No place is free, and whose limit that is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no place is free for {holder:?}: {share:?} has {places}")]
pub(crate) struct Full {
    pub(crate) share: Share,
    /// The party that was refused: the user, or the group if the share is a group's.
    pub(crate) holder: Name,
    /// How many places the share has.
    pub(crate) places: usize,
    /// How long the party should wait before it tries again.
    pub(crate) retry_after: Duration,
}
