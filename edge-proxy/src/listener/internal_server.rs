//! The API's own server: HTTP/1 on a Unix socket that only this process's user can reach.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// What is read of a body at once; small, because every upload in flight holds as much.
const READ_BUFFER: usize = 32 * 1024;

const SOCKET: &str = "api.sock";
const PREFIX: &str = "dossier-edge-";

/// An edge that was killed could not remove its directory; nobody listens there any more. One that has not
/// begun to listen is left alone: its socket is not there yet. What cannot be removed is another user's.
fn remove_those_of_killed_edges() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let answer = std::os::unix::net::UnixStream::connect(entry.path().join(SOCKET));
        if answer.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// A directory of our own, removed with what is in it.
pub(crate) struct PrivateDir(PathBuf);

impl PrivateDir {
    pub(crate) fn new() -> io::Result<Self> {
        remove_those_of_killed_edges();
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
        // What cannot be removed is an empty socket in a temporary directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Listens on `socket`.
pub(crate) fn bind(socket: &Path) -> io::Result<UnixListener> {
    UnixListener::bind(socket)
}

/// Serves until the future is dropped. The gate decides which requests come and waits for those under way.
pub(crate) async fn serve(listener: UnixListener, router: Router) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("the API cannot accept a connection: {error}");
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
                // The gate closes connections whose client has gone.
                tracing::debug!("a connection of the API ended: {error}");
            }
        });
    }
}
