//! The life of a serving process: from a checked configuration to the end of its shutdown.

use crate::app::App;
use crate::config::Config;
use crate::listener::{self, Server};
use crate::routes;
use crate::work::jobs;
use std::error::Error;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// After the grace period: how long aborting the interrupted uploads may take.
const CLEAN_UP_TIME: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT, then finishes requests and jobs in progress.
pub(crate) async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = listener::bind(config.listener.listen).map_err(|error| cannot_listen(&config, &error))?;
    let app = App::new(&config)?;
    let (stop, hurry, cut) = (app.stopping.clone(), CancellationToken::new(), CancellationToken::new());

    let keys = tokio::spawn({
        let app = app.clone();
        async move { app.verifier.keep_fresh().await }
    });
    app.tasks.spawn({
        let (app, endpoint, stop) = (app.clone(), config.database.listen.clone(), stop.clone());
        async move { app.events.run(endpoint, stop).await }
    });
    app.tasks.spawn(jobs::run(app.clone(), config.extract.clone(), stop.clone(), hurry.clone()));
    let server = Server::new(config.listener.clone(), routes::router(app.clone()), app.unread.clone());
    let accepting = tokio::spawn(server.run(listener, stop.clone(), cut.clone()));
    info!(version = env!("CARGO_PKG_VERSION"), "serving http://{}", config.listener.listen);

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    info!("stopping: finishing requests and jobs in progress");
    stop.cancel();
    let connections = accepting.await?;
    let finished = async {
        connections.wait().await;
        // Only now, because requests may leave background tasks behind.
        app.tasks.close();
        app.tasks.wait().await;
    };
    let mut finished = std::pin::pin!(finished);
    let half = config.listener.grace / 2;
    if timeout(half, &mut finished).await.is_err() {
        // Other edges can continue extractions, but not requests.
        hurry.cancel();
        if timeout(half, &mut finished).await.is_err() {
            warn!(
                "not everything finished within {} s, closing the remaining connections",
                config.listener.grace.as_secs()
            );
            cut.cancel();
            if timeout(CLEAN_UP_TIME, finished).await.is_err() {
                warn!("aborting interrupted uploads took too long, the sweeper will remove them");
            }
        }
    }
    keys.abort();
    info!("stopped");
    Ok(())
}

fn cannot_listen(config: &Config, error: &io::Error) -> String {
    let address = config.listener.listen;
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "Another process uses this port. Stop it, or set LISTEN to a free port.",
        io::ErrorKind::PermissionDenied => "Ports below 1024 need privileges. Set LISTEN to a higher port.",
        io::ErrorKind::AddrNotAvailable => {
            "This machine does not have this address. Set LISTEN to one that it has."
        }
        _ => "Set LISTEN to an address and port that can be bound.",
    };
    format!("cannot listen on {address}: {error}\n  {advice}")
}
