//! Accepts connections and runs the proxy on each, until it is stopped.

use super::connection::{Connection, ConnectionLimits};
use super::proxy::EdgeProxy;
use crate::config;
use pingora::apps::HttpServerApp;
use pingora::protocols::http::ServerSession;
use pingora::proxy::{HttpProxy, http_proxy};
use pingora::server::configuration::ServerConf;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

/// How long the head of a request may take.
const HEAD_TIME: Duration = Duration::from_secs(30);
const BACKLOG: u32 = 4096;

/// Binds the public port.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The listener, ready to accept.
pub(crate) struct Server {
    proxy: Arc<HttpProxy<EdgeProxy>>,
    places: Arc<Semaphore>,
    limits: ConnectionLimits,
    keepalive: u64,
    connections: TaskTracker,
}

impl Server {
    /// `socket`: where the internal server listens.
    pub(crate) fn new(config: config::Listener, socket: &Path) -> pingora::Result<Self> {
        let connections = TaskTracker::new();
        Ok(Self {
            places: Arc::new(Semaphore::new(config.max_connections)),
            limits: ConnectionLimits {
                head: HEAD_TIME,
                linger_bytes: config.linger_bytes,
                linger: config.linger,
                closing: connections.clone(),
            },
            keepalive: config.keepalive.as_secs(),
            proxy: Arc::new(http_proxy(&Arc::new(ServerConf::default()), EdgeProxy::new(config, socket)?)),
            connections,
        })
    }

    /// Accepts until `stop`, then closes idle connections and returns the busy ones, for the caller to wait for. `cut`
    /// closes those too.
    pub(crate) async fn run(
        self,
        listener: TcpListener,
        stop: CancellationToken,
        cut: CancellationToken,
    ) -> TaskTracker {
        let stopping = watch::Sender::new(false);
        while let Some(accepted) = stop.run_until_cancelled(self.accept(&listener)).await {
            let Some((stream, place)) = accepted else { continue };
            let (proxy, limits, keepalive) = (Arc::clone(&self.proxy), self.limits.clone(), self.keepalive);
            let (stopping, cut) = (stopping.subscribe(), cut.clone());
            self.connections.spawn(async move {
                let serving = serve_connection(&proxy, Connection::new(stream, limits), keepalive, &stopping);
                cut.run_until_cancelled(serving).await;
                drop(place);
            });
        }
        drop(listener);
        stopping.send_replace(true);
        self.proxy.http_cleanup().await;
        self.connections.close();
        self.connections
    }

    /// The next connection, once there is a place for it.
    async fn accept(&self, listener: &TcpListener) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        match listener.accept().await {
            Ok((stream, _)) => {
                // Responses are written completely, so waiting for more data would only delay them.
                let _ = stream.set_nodelay(true);
                Some((stream, place))
            }
            Err(error) => {
                warn!("accepting a connection failed: {error}");
                // Usually the process is out of descriptors. Others will be closed soon.
                tokio::time::sleep(Duration::from_millis(100)).await;
                None
            }
        }
    }
}

/// The requests of one connection, one after the other.
async fn serve_connection(
    proxy: &Arc<HttpProxy<EdgeProxy>>,
    connection: Connection,
    keepalive: u64,
    stopping: &watch::Receiver<bool>,
) {
    let mut session = ServerSession::new_http1(Box::new(connection));
    session.set_keepalive(Some(keepalive));
    while let Some(reused) = proxy.process_new_http(session, stopping).await {
        let (stream, settings) = reused.consume();
        if let Some(connection) = Connection::of(&stream) {
            connection.expect_head();
        }
        session = ServerSession::new_http1(stream);
        if let Some(settings) = settings {
            settings.apply_to_session(&mut session);
        }
    }
}
