//! What nobody waits for: sweeping, and the search index. Any edge may, and several at once.

use crate::app::App;
use crate::db::Caller;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

const SWEEP: &str = "select dossier.sweep()::text";
const INDEX_WORDS: &str = "select dossier.index_pending_words()";

/// What comes within this time goes into the index together, which is less work than one by one.
const TOGETHER: Duration = Duration::from_secs(1);

/// Removes what is no longer kept, such as uploads that were never finished.
pub(super) async fn sweep(app: &App, every: Duration, stop: &CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        match app.db.json(&Caller::service(), SWEEP, &[]).await {
            Ok(counts) => debug!("swept {}", counts.unwrap_or_default()),
            Err(error) => warn!("sweeping failed: {error}"),
        }
    }
}

/// Puts new words into the search index, so that the next document does not have to.
pub(super) async fn index_words(app: &App, new_words: &Notify, stop: &CancellationToken) {
    while stop.run_until_cancelled(new_words.notified()).await.is_some() {
        if let Err(error) = app.db.rows(&Caller::service(), INDEX_WORDS, &[]).await {
            warn!("the search index could not be brought up to date: {error}");
        }
        stop.run_until_cancelled(tokio::time::sleep(TOGETHER)).await;
    }
}
