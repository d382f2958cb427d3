//! What Postgres announces, handed to whom it concerns: workers that wait for jobs, requests that wait for
//! a document.

use crate::config::Endpoint;
use crate::db::{Notification, listen};
use serde::Deserialize;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const CHANNELS: &[&str] = &["dossier_jobs", "dossier_documents"];

/// A document that has changed its status, or was `deleted`.
#[derive(Debug, Clone, Deserialize)]
struct Changed {
    document_id: Uuid,
    status: String,
}

impl Changed {
    fn is_settled(&self) -> bool {
        matches!(self.status.as_str(), "ready" | "failed" | "unsupported" | "deleted")
    }

    /// Whether it stops a reading that is under way.
    fn is_interruption(&self) -> bool {
        matches!(self.status.as_str(), "stored" | "deleted")
    }
}

/// Where announcements arrive.
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

    /// Whether announcements arrive now; if not, one has to look.
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
        let (sender, mut heard) = mpsc::channel(64);
        tokio::join!(listen(endpoint, CHANNELS, sender, stop), async {
            while let Some(notification) = heard.recv().await {
                self.hear(notification);
            }
        });
    }

    fn hear(&self, notification: Notification) {
        match notification {
            Notification::Listening => {
                self.listening.store(true, Ordering::Relaxed);
                self.jobs.send_modify(|count| *count += 1);
            }
            Notification::Deaf => self.listening.store(false, Ordering::Relaxed),
            Notification::Said { channel, payload } if channel == "dossier_documents" => {
                if let Ok(changed) = serde_json::from_str(&payload) {
                    // Nobody waiting is no error.
                    let _ = self.documents.send(changed);
                }
            }
            Notification::Said { .. } => self.jobs.send_modify(|count| *count += 1),
        }
    }
}

/// Announcements about documents, from the moment of subscription on.
pub(crate) struct DocumentEvents(broadcast::Receiver<Changed>);

impl DocumentEvents {
    /// Returns when something other than its reading has happened to the document, or may have; `true`: it
    /// was deleted.
    pub(crate) async fn interrupted(&mut self, id: Uuid) -> bool {
        loop {
            match self.0.recv().await {
                // Its reading begins and ends so; only who asks again or deletes it interrupts.
                Ok(changed) if changed.document_id != id || !changed.is_interruption() => {}
                Ok(changed) => return changed.status == "deleted",
                // Some were missed: look.
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
                // Some were missed: look.
                Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}
