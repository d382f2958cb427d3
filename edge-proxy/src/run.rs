//! From a checked configuration to a serving process, and back to nothing.

use crate::app::App;
use crate::config::Config;
use crate::gate::Server;
use crate::{api, gate, jobs, routes};
use std::error::Error;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Serves until SIGTERM or SIGINT, then finishes what is in flight.
pub(crate) async fn run(config: Config) -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = gate::bind(config.gate.listen).map_err(|error| cannot_listen(&config, &error))?;
    let directory = api::PrivateDir::new()?;
    let socket = api::bind(&directory.socket())?;
    let app = App::new(&config)?;
    let (stop, hurry) = (CancellationToken::new(), CancellationToken::new());

    let serving = tokio::spawn(api::serve(socket, routes::router(app.clone())));
    let keys = tokio::spawn({
        let app = app.clone();
        async move { app.verifier.keep_fresh().await }
    });
    app.tasks.spawn({
        let (app, endpoint, stop) = (app.clone(), config.database.listen.clone(), stop.clone());
        async move { app.events.run(endpoint, stop).await }
    });
    app.tasks.spawn(jobs::run(app.clone(), config.extract.clone(), stop.clone(), hurry.clone()));
    let gate =
        tokio::spawn(Server::new(config.gate.clone(), &directory.socket())?.run(listener, stop.clone()));
    info!(version = env!("CARGO_PKG_VERSION"), "serving http://{}", config.gate.listen);

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    info!("stopping: finishing what is in flight");
    stop.cancel();
    let connections = gate.await?;
    let finished = async {
        connections.wait().await;
        // Only now: requests may have left something behind.
        app.tasks.close();
        app.tasks.wait().await;
    };
    let extraction_may_take = config.gate.grace / 2;
    let hurrying = async {
        tokio::time::sleep(extraction_may_take).await;
        hurry.cancel();
        std::future::pending().await
    };
    let in_time = timeout(config.gate.grace, async {
        tokio::select! {
            () = finished => {}
            () = hurrying => {}
        }
    });
    if in_time.await.is_err() {
        warn!("not everything finished within {} s", config.gate.grace.as_secs());
        // Jobs that still run are handed back by now; what they write takes a moment.
        let _ = timeout(Duration::from_secs(1), app.tasks.wait()).await;
    }
    serving.abort();
    keys.abort();
    info!("stopped");
    Ok(())
}

fn cannot_listen(config: &Config, error: &io::Error) -> String {
    let address = config.gate.listen;
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "another process has that port: stop it, or set LISTEN to a free one",
        io::ErrorKind::PermissionDenied => "ports below 1024 need privileges: set LISTEN to a higher one",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address: set LISTEN to one it has",
        _ => "set LISTEN to an address and port that can be bound",
    };
    format!("cannot listen on {address}: {error}\n  {advice}")
}
