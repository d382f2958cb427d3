//! Distributes notifications from Postgres to workers that wait for jobs, and to requests that wait for a document.

use crate::config::Endpoint;
use crate::db::{Notification, listen};
use serde::Deserialize;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const CHANNELS: &[&str] = &["dossier_jobs", "dossier_documents"];

/// A document whose status changed, or that was `deleted`.
#[derive(Debug, Clone, Deserialize)]
struct Changed {
    document_id: Uuid,
    status: String,
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
    listening: AtomicBool,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self {
            jobs: watch::Sender::new(0),
            documents: broadcast::Sender::new(256),
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
            }
            Notification::Disconnected => self.listening.store(false, Ordering::Relaxed),
            Notification::Received { channel, payload } if channel == "dossier_documents" => {
                if let Ok(changed) = serde_json::from_str(&payload) {
                    // It is not an error if nothing waits.
                    let _ = self.documents.send(changed);
                }
            }
            Notification::Received { .. } => self.jobs.send_modify(|count| *count += 1),
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
                Ok(changed) if changed.document_id != id || !changed.is_interruption() => {}
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
                Ok(changed) if changed.is_settled() && ids.contains(&changed.document_id) => return,
                Ok(_) => {}
                // Some notifications were missed, so the caller has to check.
                Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}
