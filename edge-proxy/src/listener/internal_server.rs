//! The internal server of the API: HTTP/1 on a Unix socket that only this process's user can reach.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// How much of a body is read at a time. It is small, because every upload in progress holds as much.
const READ_BUFFER: usize = 32 * 1024;

const SOCKET: &str = "api.sock";
const PREFIX: &str = "dossier-edge-";

/// Removes directories of edges that were killed: nothing listens on their sockets. The directory of an edge that does not
/// listen yet has no socket and is kept. A directory that cannot be removed belongs to another user.
fn remove_abandoned_directories() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let connected = std::os::unix::net::UnixStream::connect(entry.path().join(SOCKET));
        if connected.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// A directory of this process, removed with its contents.
pub(crate) struct PrivateDir(PathBuf);

impl PrivateDir {
    pub(crate) fn new() -> io::Result<Self> {
        remove_abandoned_directories();
        let path = std::env::temp_dir().join(format!("{PREFIX}{}", uuid::Uuid::new_v4().simple()));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join(SOCKET)
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        // If this fails, an unused socket stays in the temporary directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Listens on `socket`.
pub(crate) fn bind(socket: &Path) -> io::Result<UnixListener> {
    UnixListener::bind(socket)
}

/// Serves until the future is dropped. The listener admits requests, and waits for those in progress.
pub(crate) async fn serve(listener: UnixListener, router: Router) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("accepting an internal connection failed: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .max_buf_size(READ_BUFFER)
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                // The listener closes connections whose client has disconnected.
                tracing::debug!("an internal connection ended: {error}");
            }
        });
    }
}
