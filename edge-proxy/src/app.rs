//! The state that all requests share.

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

/// Enough to keep the database busy, for any number of uploads.
const FILLING: usize = 8;
/// The minimum for one upload to have two appends in progress.
const AT_LEAST: usize = 2;

/// A handle on the state that all requests share. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

/// The state that all requests share.
pub(crate) struct Shared {
    /// The name of this process among the edges.
    pub(crate) name: String,
    pub(crate) db: Db,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) events: Events,
    pub(crate) upload: crate::config::Upload,
    pub(crate) transfer: crate::config::Transfer,
    /// Places for uploads in progress.
    pub(crate) uploads: Semaphore,
    /// Places for uploads that fill a chunk at full speed.
    pub(crate) filling_places: Semaphore,
    /// Places for uploads that use a connection. There are fewer than connections, so that other requests find one.
    pub(crate) chunk_places: Arc<Semaphore>,
    /// Background tasks, which shutdown waits for.
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

/// Host name and process id, unique among the edges of one database.
fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{}-{}", if host.is_empty() { "edge" } else { host }, std::process::id())
}
