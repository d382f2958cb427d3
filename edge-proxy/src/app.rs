//! The state that all requests share.

use crate::auth::{UrlSigner, Verifier};
use crate::config::Config;
use crate::db::{Caller, Db, DbError, Shares};
use crate::fair::{Limits, Place, Places};
use crate::http::{JsonLimit, Problem, Scarce};
use crate::work::Events;
use axum::extract::FromRef;
use std::ops::Deref;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Enough to keep the database busy, for any number of uploads.
const FILLING: usize = 8;

/// A handle on the state that all requests share. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

/// The state that all requests share.
pub(crate) struct Shared {
    /// The name of this process among the edges.
    pub(crate) name: String,
    pub(crate) db: Db,
    pub(crate) verifier: Arc<Verifier>,
    /// `None`: there is no secret to sign URLs with.
    pub(crate) urls: Option<UrlSigner>,
    pub(crate) events: Events,
    /// Cancelled when the edge begins to stop. Ends what would never end by itself.
    pub(crate) stopping: CancellationToken,
    pub(crate) upload: crate::config::Upload,
    /// Users without a password, in development only.
    pub(crate) demo: Option<crate::config::Demo>,
    pub(crate) transfer: crate::config::Transfer,
    /// The largest Content-Length that the listener accepts.
    pub(crate) request_max_bytes: u64,
    /// Where clients reach this edge, if the operator has configured it.
    pub(crate) public_url: Option<String>,
    /// Places for uploads whose bytes arrive.
    uploads: Places,
    /// Places for uploads that fill a chunk at full speed, or wait for a connection with a full one.
    pub(crate) filling_places: Places,
    /// Places for imports in progress.
    imports: Places,
    /// KiB of bundles in the temporary directory.
    pub(crate) spooled: Places,
    /// Places for imports that are being written, each on a connection of its own.
    pub(crate) import_writers: Places,
    /// KiB of responses that wait until their clients have read them.
    pub(crate) unread: Places,
    /// Background tasks, which shutdown waits for.
    pub(crate) tasks: TaskTracker,
}

impl App {
    pub(crate) fn new(config: &Config) -> Result<Self, DbError> {
        let unread = Places::new(config.listener.response_kib);
        let shares = Shares { for_uploads: config.upload.connections, unread: Some(unread.clone()) };
        Ok(Self(Arc::new(Shared {
            name: name(),
            db: Db::new(&config.database, shares)?,
            urls: UrlSigner::new(&config.auth),
            verifier: Arc::new(Verifier::new(config.auth.clone())),
            events: Events::new(config.events),
            stopping: CancellationToken::new(),
            demo: config.demo.clone(),
            upload: config.upload,
            transfer: config.transfer,
            request_max_bytes: config.listener.request_max_bytes,
            public_url: config.listener.public_url.clone(),
            uploads: Places::new(config.upload.places),
            filling_places: Places::new(Limits::divided(FILLING)),
            imports: Places::new(config.transfer.imports),
            spooled: Places::new(config.transfer.spooled_kib),
            import_writers: Places::new(config.transfer.writers),
            unread,
            tasks: TaskTracker::new(),
        })))
    }
}

const UPLOADS: Scarce = Scarce {
    name: "uploads",
    total: "UPLOAD_CONCURRENCY",
    per_user: "UPLOAD_USER_CONCURRENCY",
    per_organization: "UPLOAD_ORGANIZATION_CONCURRENCY",
};
const IMPORTS: Scarce = Scarce {
    name: "imports",
    total: "IMPORT_CONCURRENCY",
    per_user: "IMPORT_USER_CONCURRENCY",
    per_organization: "IMPORT_ORGANIZATION_CONCURRENCY",
};

impl Shared {
    /// A place for an upload. Take it once the database has checked the caller's rights and the first bytes have arrived,
    /// and drop it after the last byte: nobody may hold a place without sending.
    pub(crate) fn upload_place(&self, caller: &Caller) -> Result<Place, Problem> {
        self.uploads.try_take(&self.db.party(caller)).map_err(|full| UPLOADS.refuse(&full))
    }

    /// A place for an import. Take it once the database has checked the caller's rights.
    pub(crate) fn import_place(&self, caller: &Caller) -> Result<Place, Problem> {
        self.imports.try_take(&self.db.party(caller)).map_err(|full| IMPORTS.refuse(&full))
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
