//! The address of the stack behind: looked up, remembered for a while.

use crate::config::Upstream;
use pingora::upstreams::peer::HttpPeer;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Hosted stacks change addresses behind their name.
const REMEMBERED: Duration = Duration::from_secs(30);

/// The stack behind.
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

    /// One of its addresses, in turn.
    pub(super) async fn peer(&self, upgrade: bool) -> std::io::Result<HttpPeer> {
        let addresses = self.addresses().await?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let address = addresses.get(turn % addresses.len().max(1)).ok_or(std::io::ErrorKind::NotFound)?;
        let mut peer = HttpPeer::new(address, self.upstream.tls, self.upstream.host.clone());
        peer.options.connection_timeout = Some(Duration::from_secs(5));
        peer.options.total_connection_timeout = Some(Duration::from_secs(10));
        peer.options.idle_timeout = Some(Duration::from_mins(1));
        // A websocket may be silent for as long as both sides like.
        peer.options.read_timeout = (!upgrade).then_some(self.timeout);
        Ok(peer)
    }

    async fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        let remembered = self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, addresses)) = &remembered
            && at.elapsed() < REMEMBERED
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
            // The name server is down; the stack may not be.
            Err(error) => remembered.map(|(_, addresses)| addresses).ok_or(error),
        }
    }
}
