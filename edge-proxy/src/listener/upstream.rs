//! The addresses of the Supabase stack behind, looked up and cached.

use crate::config::Upstream;
use pingora::upstreams::peer::HttpPeer;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Hosted stacks change the addresses of their names.
const CACHED_FOR: Duration = Duration::from_secs(30);

/// The Supabase stack behind.
pub(super) struct Stack {
    pub(super) upstream: Upstream,
    timeout: Duration,
    addresses: Mutex<Option<(Instant, Vec<SocketAddr>)>>,
    turn: AtomicUsize,
}

impl Stack {
    pub(super) fn new(upstream: Upstream, timeout: Duration) -> Self {
        Self { upstream, timeout, addresses: Mutex::default(), turn: AtomicUsize::new(0) }
    }

    /// One of its addresses, in rotation.
    pub(super) async fn peer(&self, upgrade: bool) -> std::io::Result<HttpPeer> {
        let addresses = self.addresses().await?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let address = addresses.get(turn % addresses.len().max(1)).ok_or(std::io::ErrorKind::NotFound)?;
        let mut peer = HttpPeer::new(address, self.upstream.tls, self.upstream.host.clone());
        peer.options.connection_timeout = Some(Duration::from_secs(5));
        peer.options.total_connection_timeout = Some(Duration::from_secs(10));
        peer.options.idle_timeout = Some(Duration::from_mins(1));
        // A websocket may be idle for any time.
        peer.options.read_timeout = (!upgrade).then_some(self.timeout);
        Ok(peer)
    }

    async fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        let cached = self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, addresses)) = &cached
            && at.elapsed() < CACHED_FOR
        {
            return Ok(addresses.clone());
        }
        match tokio::net::lookup_host((self.upstream.host.as_str(), self.upstream.port)).await {
            Ok(found) => {
                let found: Vec<_> = found.collect();
                let fresh = Some((Instant::now(), found.clone()));
                *self.addresses.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
                Ok(found)
            }
            // The name server may be down while the stack is not.
            Err(error) => cached.map(|(_, addresses)| addresses).ok_or(error),
        }
    }
}
