//! From a checked configuration to a serving process, and back to nothing.

use crate::app::App;
use crate::config::Config;
use crate::listener::{self, Server, internal_server};
use crate::routes;
use crate::work::jobs;
use std::error::Error;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// After the grace: how long it may take to undo what was cut off.
const CLEANING_UP: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT, then finishes what is in flight.
pub(crate) async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = listener::bind(config.listener.listen).map_err(|error| cannot_listen(&config, &error))?;
    let directory = internal_server::PrivateDir::new()?;
    let socket = internal_server::bind(&directory.socket())?;
    let app = App::new(&config)?;
    let (stop, hurry, cut) = (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());

    let serving = tokio::spawn(internal_server::serve(socket, routes::router(app.clone())));
    let keys = tokio::spawn({
        let app = app.clone();
        async move { app.verifier.keep_fresh().await }
    });
    app.tasks.spawn({
        let (app, endpoint, stop) = (app.clone(), config.database.listen.clone(), stop.clone());
        async move { app.events.run(endpoint, stop).await }
    });
    app.tasks.spawn(jobs::run(app.clone(), config.extract.clone(), stop.clone(), hurry.clone()));
    let server = Server::new(config.listener.clone(), &directory.socket())?;
    let accepting = tokio::spawn(server.run(listener, stop.clone(), cut.clone()));
    info!(version = env!("CARGO_PKG_VERSION"), "serving http://{}", config.listener.listen);

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    info!("stopping: finishing what is in flight");
    stop.cancel();
    let connections = accepting.await?;
    let finished = async {
        connections.wait().await;
        // Only now: requests may leave something behind that is to be done.
        app.tasks.close();
        app.tasks.wait().await;
    };
    let mut finished = std::pin::pin!(finished);
    let half = config.listener.grace / 2;
    if timeout(half, &mut finished).await.is_err() {
        // Extractions go on elsewhere; requests cannot.
        hurry.cancel();
        if timeout(half, &mut finished).await.is_err() {
            warn!("not everything finished within {} s", config.listener.grace.as_secs());
            cut.cancel();
            if timeout(CLEANING_UP, finished).await.is_err() {
                warn!("what was cut off could not be cleaned up; the sweeper will do it");
            }
        }
    }
    serving.abort();
    keys.abort();
    info!("stopped");
    Ok(())
}

fn cannot_listen(config: &Config, error: &io::Error) -> String {
    let address = config.listener.listen;
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "another process has that port: stop it, or set LISTEN to a free one",
        io::ErrorKind::PermissionDenied => "ports below 1024 need privileges: set LISTEN to a higher one",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address: set LISTEN to one it has",
        _ => "set LISTEN to an address and port that can be bound",
    };
    format!("cannot listen on {address}: {error}\n  {advice}")
}
