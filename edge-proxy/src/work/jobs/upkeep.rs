//! Sweeping and updating the search index. Any edge may do this, also several at the same time.

use crate::app::App;
use crate::db::Caller;
use crate::http::Chain;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

const SWEEP: &str = "select dossier.sweep()::text";
const INDEX_WORDS: &str = "select dossier.index_pending_words()";

/// New words within this time are indexed together, which is less work than one document at a time.
const INDEX_INTERVAL: Duration = Duration::from_secs(1);

/// Removes expired data, such as uploads that were never finished, and what large deletions have left.
pub(super) async fn sweep(app: &App, every: Duration, stop: &CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
            () = app.events.sweep_requested() => {}
        }
        while !stop.is_cancelled() && sweep_step(app).await {}
    }
}

/// One transaction with a limited amount of work. Returns whether there may be more.
async fn sweep_step(app: &App) -> bool {
    match app.db.json(&Caller::service(), SWEEP, &[]).await {
        Ok(swept) => {
            let swept = swept.unwrap_or_default();
            debug!("sweep finished: {swept}");
            serde_json::from_str::<Swept>(&swept).is_ok_and(|swept| swept.more)
        }
        Err(error) => {
            warn!("sweep failed: {}", Chain(&error));
            false
        }
    }
}

/// The part of the result of `dossier.sweep()` that matters here.
#[derive(Deserialize)]
struct Swept {
    more: bool,
}

/// Moves new words into the search index, so that the next document need not.
pub(super) async fn index_words(app: &App, new_words: &Notify, stop: &CancellationToken) {
    while stop.run_until_cancelled(new_words.notified()).await.is_some() {
        if let Err(error) = app.db.rows(&Caller::service(), INDEX_WORDS, &[]).await {
            warn!("updating the search index failed: {}", Chain(&error));
        }
        stop.run_until_cancelled(tokio::time::sleep(INDEX_INTERVAL)).await;
    }
}
