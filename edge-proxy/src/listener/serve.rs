//! Accepts connections and runs the proxy on each, until it is stopped.

use super::admission::{Admission, Admitted};
use super::connection::{Connection, ConnectionLimits, linger};
use super::proxy::EdgeProxy;
use super::respond::too_many_connections;
use super::upstream::KEEPALIVE;
use crate::config;
use crate::fair::Places;
use axum::Router;
use pingora::apps::{HttpServerApp, HttpServerOptions};
use pingora::protocols::http::ServerSession;
use pingora::protocols::l4::ext::set_tcp_keepalive;
use pingora::proxy::{HttpProxy, http_proxy};
use pingora::server::configuration::ServerConf;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::BufWriter;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

const BACKLOG: u32 = 4096;
/// How many refused connections stay open until their clients have read the refusal. Others are just closed.
const LINGERING_REFUSALS: usize = 64;

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
    admission: Admission,
    per_address: usize,
    lingering: Arc<Semaphore>,
    first_byte: u64,
    limits: ConnectionLimits,
    connections: TaskTracker,
}

impl Server {
    /// `unread`: KiB of responses that wait for their clients.
    pub(crate) fn new(config: config::Listener, api: Router, unread: Places) -> Self {
        let connections = TaskTracker::new();
        Self {
            admission: Admission::new(config.max_connections, config.per_address),
            per_address: config.per_address,
            lingering: Arc::new(Semaphore::new(LINGERING_REFUSALS)),
            first_byte: config.first_byte.as_secs(),
            limits: ConnectionLimits {
                head: config.head,
                unread: config.unread,
                linger_bytes: config.linger_bytes,
                linger: config.linger,
                closing: connections.clone(),
            },
            proxy: Arc::new(proxy(EdgeProxy::new(config, api, unread))),
            connections,
        }
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
            let Some((stream, admitted)) = accepted else { continue };
            let (proxy, limits, first_byte) = (Arc::clone(&self.proxy), self.limits.clone(), self.first_byte);
            let (stopping, cut) = (stopping.subscribe(), cut.clone());
            let close = admitted.close().clone();
            self.connections.spawn(async move {
                let connection = Connection::new(stream, limits, admitted);
                let serving = serve_connection(&proxy, connection, first_byte, &stopping);
                cut.run_until_cancelled(close.run_until_cancelled(serving)).await;
            });
        }
        drop(listener);
        stopping.send_replace(true);
        self.proxy.http_cleanup().await;
        self.connections.close();
        self.connections
    }

    /// The next connection, once there is a place for it.
    async fn accept(&self, listener: &TcpListener) -> Option<(TcpStream, Admitted)> {
        match listener.accept().await {
            Ok((stream, client)) => {
                let Ok(admitted) = self.admission.admit(client.ip()).await else {
                    self.refuse(stream);
                    return None;
                };
                // Responses are written completely, so waiting for more data would only delay them.
                let _ = stream.set_nodelay(true);
                if let Err(error) = set_tcp_keepalive(&stream, &KEEPALIVE) {
                    debug!("setting TCP keepalive failed: {error}");
                }
                Some((stream, admitted))
            }
            // The client has disconnected already. That must not delay others.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => None,
            Err(error) => {
                warn!("accepting a connection failed: {error}");
                // Usually the process is out of descriptors. Others will be closed soon.
                tokio::time::sleep(Duration::from_millis(100)).await;
                None
            }
        }
    }
}

impl Server {
    /// Tells a client that its address has too many connections, if that is possible without waiting for it.
    fn refuse(&self, stream: TcpStream) {
        let _ = stream.try_write(too_many_connections(self.per_address).as_bytes());
        if let Ok(place) = Arc::clone(&self.lingering).try_acquire_owned() {
            let (bytes, time) = (self.limits.linger_bytes, self.limits.linger);
            self.connections.spawn(async move {
                linger(BufWriter::new(stream), bytes, time).await;
                drop(place);
            });
        }
    }
}

/// The proxy that all connections share.
fn proxy(edge: EdgeProxy) -> HttpProxy<EdgeProxy> {
    let mut proxy = http_proxy(&Arc::new(ServerConf::default()), edge);
    let mut options = HttpServerOptions::default();
    // Only so that `EdgeProxy` sees such a request: pingora would refuse it without a word. It is never forwarded.
    options.allow_connect_method_proxying = true;
    proxy.server_options = Some(options);
    proxy
}

/// The requests of one connection, one after the other. The first must begin within `first_byte` seconds. Afterwards, each
/// response says how long the connection may be idle.
async fn serve_connection(
    proxy: &Arc<HttpProxy<EdgeProxy>>,
    connection: Connection,
    first_byte: u64,
    stopping: &watch::Receiver<bool>,
) {
    let mut session = ServerSession::new_http1(Box::new(connection));
    session.set_keepalive(Some(first_byte));
    session.set_pipelining_enabled(true);
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
