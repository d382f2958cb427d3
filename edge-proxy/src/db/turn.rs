//! Whose turn it is to use a connection.
//!
//! The pool alone serves requests in the order of their arrival, so one caller with many requests would have all connections.
//! Invariant: every use of a pooled connection has a turn, until the database has finished with the connection. So a user has
//! as many connections as the share allows, also through requests that were abandoned.

use super::DbError;
use crate::config;
use crate::fair::{Limits, Party, Place, Places};
use std::time::{Duration, Instant};

/// The turns of all callers.
#[derive(Clone)]
pub(super) struct Turns {
    connections: Places,
    /// For statements that may take long: fewer than connections, so that short ones find one.
    long: Places,
    wait: Duration,
}

/// The right to use one connection. Dropped, it is over.
pub(super) struct Turn {
    _connection: Place,
    _long: Option<Place>,
}

impl Turns {
    pub(super) fn new(config: &config::Database) -> Self {
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
        Self { connections: Places::new(all), long: Places::new(long), wait: config.wait }
    }

    /// The next turn of `party`. Each user waits in a queue of their own.
    pub(super) async fn next(&self, party: &Party, is_long: bool) -> Result<Turn, DbError> {
        let deadline = Instant::now() + self.wait;
        let long = if is_long { Some(self.long.take(party, self.wait).await?) } else { None };
        let patience = deadline.saturating_duration_since(Instant::now());
        Ok(Turn { _connection: self.connections.take(party, patience).await?, _long: long })
    }
}
