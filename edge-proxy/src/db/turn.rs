//! Whose turn it is to use a connection.
//!
//! The pool alone serves requests in the order of their arrival, so one caller with many requests would have all connections.
//! Invariant: every use of a pooled connection has a turn, until the database has finished with the connection. So a user has
//! as many connections as the share allows, also through requests that were abandoned.
//! Invariant: a caller that waits for a turn holds nothing that others wait for.

use super::DbError;
use crate::config;
use crate::fair::{Limits, Party, Place, Places};
use std::time::Duration;

/// The minimum for one upload to have two appends in progress, while another has one.
const CHUNKS_AT_LEAST: usize = 3;

/// The other conditions for a turn.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    /// How many connections uploads may use. `None`: a quarter.
    pub(crate) for_uploads: Option<usize>,
    /// KiB of responses that wait for their clients. Those who hold more than their share, because a change had to be reported
    /// to them, get no turn: they could not be told what it did.
    pub(crate) unread: Option<Places>,
}

/// What a connection is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// A statement that takes milliseconds.
    Short,
    /// A statement that may take long. Some connections are kept for shorter ones.
    Long,
    /// The chunks of uploads. However many uploads there are, other requests find a connection.
    Chunks,
    /// The changes of a session that is watched. However many streams wake at once, other requests find a connection.
    Watch,
}

/// The turns of all callers.
#[derive(Clone)]
pub(super) struct Turns {
    connections: Places,
    long: Places,
    chunks: Places,
    watch: Places,
    unread: Option<Places>,
    wait: Duration,
}

/// The right to use one connection. Dropped, it is over.
pub(crate) struct Turn {
    _connection: Place,
}

impl Turns {
    pub(super) fn new(config: &config::Database, shares: Shares) -> Self {
        let all = Limits {
            total: config.pool_size,
            per_user: config.per_user,
            per_organization: config.per_organization,
            waiting: config.waiting,
        };
        // Half of each share, so that a user who searches can still list.
        let long = Limits {
            total: (config.pool_size - config.kept_for_short).max(1),
            per_user: all.per_user.div_ceil(2),
            per_organization: all.per_organization.div_ceil(2),
            waiting: all.waiting,
        };
        let quarter = config.pool_size / 4;
        let connections = Places::new(all);
        Self {
            long: connections.part(long),
            chunks: connections.part(chunks(shares.for_uploads.unwrap_or(quarter))),
            watch: connections.part(Limits::divided(quarter.max(1))),
            connections,
            unread: shares.unread,
            wait: config.wait,
        }
    }

    /// The next turn of `party`. Each user waits in a queue of their own.
    pub(super) async fn next(&self, party: &Party, work: Work) -> Result<Turn, DbError> {
        let (places, patience) = match work {
            Work::Short => (&self.connections, self.wait),
            Work::Long => (&self.long, self.wait),
            // Meanwhile the upload reads nothing.
            Work::Chunks => (&self.chunks, Duration::MAX),
            Work::Watch => (&self.watch, self.wait),
        };
        let turn = Turn { _connection: places.take(party, patience).await? };
        // Only now: the responses to those who had a turn before are known.
        if let Some(unread) = &self.unread {
            unread.owes_nothing(party).map_err(DbError::Unread)?;
        }
        Ok(turn)
    }
}

/// One user, or organization, leaves at least one to others.
fn chunks(connections: usize) -> Limits {
    let total = connections.max(CHUNKS_AT_LEAST);
    let Limits { per_user, per_organization, waiting, .. } = Limits::divided(total);
    Limits { total, per_user: per_user.max(CHUNKS_AT_LEAST - 1), per_organization, waiting }
}
