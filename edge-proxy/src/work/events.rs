//! Distributes notifications from Postgres to workers that wait for jobs, and to requests that wait for a document or watch
//! a session.

use super::watchers::{TooMany, Watcher, Watchers};
use crate::config::{self, Endpoint};
use crate::db::{Notification, listen};
use serde::Deserialize;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const CHANNELS: &[&str] =
    &["dossier_jobs", "dossier_documents", "dossier_sessions", "dossier_members", "dossier_sweep"];

/// Documents whose status one statement changed, or that it `deleted`.
#[derive(Debug, Clone, Deserialize)]
struct Changed {
    document_ids: Vec<Uuid>,
    session_id: Uuid,
    status: String,
}

/// Sessions in which something else has changed.
#[derive(Debug, Deserialize)]
struct ChangedSessions {
    session_ids: Vec<Uuid>,
}

/// Organizations whose members have changed. `None`: all.
#[derive(Debug, Deserialize)]
struct ChangedMembers {
    organization_ids: Option<Vec<Uuid>>,
}

impl Changed {
    fn is_settled(&self) -> bool {
        matches!(self.status.as_str(), "ready" | "failed" | "unsupported" | "deleted")
    }

    /// Whether it interrupts a running extraction.
    fn is_interruption(&self) -> bool {
        matches!(self.status.as_str(), "stored" | "deleted")
    }
}

/// The source of notifications.
pub(crate) struct Events {
    jobs: watch::Sender<u64>,
    documents: broadcast::Sender<Changed>,
    watchers: Watchers,
    sweeps: Notify,
    listening: AtomicBool,
}

impl Events {
    pub(crate) fn new(limits: config::Events) -> Self {
        Self {
            jobs: watch::Sender::new(0),
            documents: broadcast::Sender::new(256),
            watchers: Watchers::new(limits),
            sweeps: Notify::new(),
            listening: AtomicBool::new(false),
        }
    }

    /// Whether notifications arrive now. If not, the caller has to poll.
    pub(crate) fn listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed)
    }

    /// Changes whenever there may be a new job.
    pub(crate) fn jobs(&self) -> watch::Receiver<u64> {
        self.jobs.subscribe()
    }

    /// Returns when a deletion has left something to the sweeper.
    pub(crate) async fn sweep_requested(&self) {
        self.sweeps.notified().await;
    }

    /// Wakes the workers of this edge, which need not wait for the notification of a job that it has queued itself.
    pub(crate) fn wake_workers(&self) {
        self.jobs.send_modify(|count| *count += 1);
    }

    /// Watches a session, as long as there are places.
    pub(crate) fn watch(&self, session: Uuid, user: Option<&str>) -> Result<Watcher, TooMany> {
        self.watchers.watch(session, user)
    }

    pub(crate) fn documents(&self) -> DocumentEvents {
        DocumentEvents(self.documents.subscribe())
    }

    /// Listens until `stop`.
    pub(crate) async fn run(&self, endpoint: Endpoint, stop: CancellationToken) {
        let (sender, mut events) = mpsc::channel(64);
        tokio::join!(listen(endpoint, CHANNELS, sender, stop), async {
            while let Some(notification) = events.recv().await {
                self.dispatch(notification);
            }
        });
    }

    fn dispatch(&self, notification: Notification) {
        match notification {
            Notification::Listening => {
                self.listening.store(true, Ordering::Relaxed);
                self.jobs.send_modify(|count| *count += 1);
                self.watchers.missed();
            }
            Notification::Disconnected => {
                self.listening.store(false, Ordering::Relaxed);
                self.watchers.missed();
            }
            Notification::Received { channel, payload } => self.dispatch_received(&channel, &payload),
        }
    }

    /// A payload that cannot be read was not sent by Dossier.
    fn dispatch_received(&self, channel: &str, payload: &str) {
        match channel {
            "dossier_documents" => {
                let Ok(changed) = serde_json::from_str::<Changed>(payload) else { return };
                let deleted: &[Uuid] = if changed.status == "deleted" { &changed.document_ids } else { &[] };
                self.watchers.changed(&[changed.session_id], deleted);
                // It is not an error if nothing waits.
                let _ = self.documents.send(changed);
            }
            "dossier_sessions" => {
                if let Ok(changed) = serde_json::from_str::<ChangedSessions>(payload) {
                    self.watchers.changed(&changed.session_ids, &[]);
                }
            }
            "dossier_members" => {
                if let Ok(changed) = serde_json::from_str::<ChangedMembers>(payload) {
                    self.watchers.members_changed(changed.organization_ids.as_deref());
                }
            }
            "dossier_sweep" => self.sweeps.notify_one(),
            _ => self.jobs.send_modify(|count| *count += 1),
        }
    }
}

/// Notifications about documents since the subscription.
pub(crate) struct DocumentEvents(broadcast::Receiver<Changed>);

impl DocumentEvents {
    /// Returns when something other than extraction has changed the document, or may have. `true`: it was deleted.
    pub(crate) async fn interrupted(&mut self, id: Uuid) -> bool {
        loop {
            match self.0.recv().await {
                // Extraction itself changes the status. Only a new request for extraction, or a deletion, interrupts.
                Ok(changed) if !changed.document_ids.contains(&id) || !changed.is_interruption() => {}
                Ok(changed) => return changed.status == "deleted",
                // Some notifications were missed, so the caller has to check.
                Err(broadcast::error::RecvError::Lagged(_)) => return false,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// Returns when one of `ids` is settled, or may be.
    pub(crate) async fn settled(&mut self, ids: &[Uuid]) {
        loop {
            match self.0.recv().await {
                Ok(changed)
                    if changed.is_settled() && changed.document_ids.iter().any(|id| ids.contains(id)) =>
                {
                    return;
                }
                Ok(_) => {}
                // Some notifications were missed, so the caller has to check.
                Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}
