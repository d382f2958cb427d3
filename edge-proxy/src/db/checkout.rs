//! A pooled connection while one batch uses it.
//!
//! Invariant: a connection returns to the pool only when the database has answered everything that was sent on it. A batch
//! that is abandoned, because its client has disconnected, gets a moment to finish. Then it is cancelled, and its connection
//! is closed: a cancel may arrive late and would hit the next batch.
//! Invariant: an abandoned connection counts as one of the pool until the database has finished with it, so that impatient
//! clients cannot open more connections than the pool has. It still has its turn, so they cannot exceed their share either.

use super::DbError;
use super::turn::Turn;
use crate::http::Chain;
use deadpool_postgres::{Object, PoolError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::debug;

/// How long an abandoned batch may continue. Most finish within it: cancelling them would cost a new connection each.
const TIME_TO_FINISH: Duration = Duration::from_millis(250);
/// How long sending a cancel may take.
const TIME_TO_CANCEL: Duration = Duration::from_secs(5);

/// A connection taken from the pool. Dropped before [`Checkout::finish`], its batch counts as abandoned.
pub(super) struct Checkout {
    connection: Option<(Object, Turn)>,
    tls: MakeRustlsConnect,
    /// When the database itself ends the batch.
    deadline: Duration,
}

impl Checkout {
    pub(super) fn new(connection: Object, turn: Turn, tls: MakeRustlsConnect, deadline: Duration) -> Self {
        Self { connection: Some((connection, turn)), tls, deadline }
    }

    /// Returns the connection to the pool. Call it when every response has arrived.
    pub(super) fn finish(mut self) {
        drop(self.connection.take());
    }

    /// The connection. It is only missing after [`Checkout::finish`], which consumes this.
    pub(super) fn client(&self) -> Result<&Client, DbError> {
        let (connection, _) = self.connection.as_ref().ok_or(PoolError::Closed)?;
        Ok(connection)
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let Some((connection, turn)) = self.connection.take() else { return };
        match Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(settle(connection, turn, self.tls.clone(), self.deadline));
            }
            // The process is ending.
            Err(_) => drop(Object::take(connection)),
        }
    }
}

/// Waits until an abandoned batch has ended, and cancels it if it takes long.
async fn settle(connection: Object, _turn: Turn, tls: MakeRustlsConnect, deadline: Duration) {
    // The database answers an empty statement after everything that was sent before it.
    let mut idle = Box::pin(connection.batch_execute(""));
    if let Ok(Ok(())) = timeout(TIME_TO_FINISH, &mut idle).await {
        return;
    }
    match timeout(TIME_TO_CANCEL, connection.cancel_token().cancel_query(tls)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!("cancelling an abandoned batch failed: {}", Chain(&error)),
        Err(_) => debug!("cancelling an abandoned batch timed out"),
    }
    let _ = timeout(deadline, idle).await;
    drop(Object::take(connection));
}
