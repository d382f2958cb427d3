//! What every request shares.

use crate::auth::Verifier;
use crate::config::Config;
use crate::db::{Db, DbError};
use crate::http::JsonLimit;
use crate::work::Events;
use axum::extract::FromRef;
use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// Enough to keep the database busy, whatever the number of uploads.
const FILLING: usize = 8;
/// So that one upload can have two appends under way.
const AT_LEAST: usize = 2;

/// A handle on what every request shares; cloning is cheap.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

/// What every request shares.
pub(crate) struct Shared {
    /// This process, among the edges.
    pub(crate) name: String,
    pub(crate) db: Db,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) events: Events,
    pub(crate) upload: crate::config::Upload,
    pub(crate) transfer: crate::config::Transfer,
    /// Uploads in flight.
    pub(crate) uploads: Semaphore,
    /// Uploads that fill a chunk at full speed right now.
    pub(crate) filling_places: Semaphore,
    /// Uploads that use a connection right now; fewer than there are, so that others find one.
    pub(crate) chunk_places: Arc<Semaphore>,
    /// What goes on behind requests, and is waited for at shutdown.
    pub(crate) tasks: TaskTracker,
}

impl App {
    pub(crate) fn new(config: &Config) -> Result<Self, DbError> {
        let connections = config.upload.connections.unwrap_or(config.database.pool_size / 4).max(AT_LEAST);
        Ok(Self(Arc::new(Shared {
            name: name(),
            db: Db::new(&config.database)?,
            verifier: Arc::new(Verifier::new(config.auth.clone())),
            events: Events::new(),
            upload: config.upload,
            transfer: config.transfer,
            uploads: Semaphore::new(config.upload.concurrency),
            filling_places: Semaphore::new(FILLING),
            chunk_places: Arc::new(Semaphore::new(connections)),
            tasks: TaskTracker::new(),
        })))
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl FromRef<App> for Arc<Verifier> {
    fn from_ref(app: &App) -> Self {
        Arc::clone(&app.verifier)
    }
}

impl FromRef<App> for JsonLimit {
    fn from_ref(app: &App) -> Self {
        Self(app.upload.json_max_bytes)
    }
}

/// Host and process: unique among the edges of one database.
fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{}-{}", if host.is_empty() { "edge" } else { host }, std::process::id())
}
