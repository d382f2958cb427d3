//! The addresses of the Supabase stack behind: looked up, cached, and tried one after the other.
//!
//! A name may have several addresses of which some do not answer: `localhost` is `::1` and `127.0.0.1`, although most
//! servers listen on only one of them. Nothing of a request is read before a connection exists, so trying the next address
//! loses nothing.

use crate::config::Upstream;
use pingora::protocols::TcpKeepalive;
use pingora::upstreams::peer::HttpPeer;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Hosted stacks change the addresses of their names.
const CACHED_FOR: Duration = Duration::from_secs(30);
/// How long an address that did not answer is only a last resort.
const REST: Duration = Duration::from_secs(10);

/// The Supabase stack behind.
pub(super) struct Stack {
    pub(super) upstream: Upstream,
    timeout: Duration,
    addresses: Mutex<Option<(Instant, Vec<SocketAddr>)>>,
    /// Addresses that did not answer, and since when.
    resting: Mutex<HashMap<SocketAddr, Instant>>,
    turn: AtomicUsize,
}

impl Stack {
    pub(super) fn new(upstream: Upstream, timeout: Duration) -> Self {
        Self {
            upstream,
            timeout,
            addresses: Mutex::default(),
            resting: Mutex::default(),
            turn: AtomicUsize::new(0),
        }
    }

    /// Its addresses in the order in which one request should try them.
    pub(super) async fn candidates(&self) -> std::io::Result<Vec<SocketAddr>> {
        let mut addresses = self.addresses().await?;
        match addresses.len() {
            0 => return Err(std::io::ErrorKind::NotFound.into()),
            1 => return Ok(addresses),
            _ => {}
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % addresses.len();
        addresses.rotate_left(turn);
        let now = Instant::now();
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, since| now.duration_since(*since) < REST);
        // The sort is stable. Of the resting ones, the one that has rested longest comes first.
        addresses.sort_by_key(|address| resting.get(address).copied());
        Ok(addresses)
    }

    /// A connection to one of its addresses.
    pub(super) fn peer(&self, address: SocketAddr, upgrade: bool) -> HttpPeer {
        let mut peer = HttpPeer::new(address, self.upstream.tls, self.upstream.host.clone());
        peer.options.connection_timeout = Some(Duration::from_secs(5));
        peer.options.total_connection_timeout = Some(Duration::from_secs(10));
        peer.options.idle_timeout = Some(Duration::from_mins(1));
        // A websocket may be idle for any time.
        peer.options.read_timeout = (!upgrade).then_some(self.timeout);
        peer.options.tcp_keepalive = Some(KEEPALIVE);
        peer
    }

    /// Notes that no connection to `address` was possible.
    pub(super) fn rest(&self, address: SocketAddr) {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).insert(address, Instant::now());
    }

    async fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        let cached = self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let cached = match cached {
            Some((at, addresses)) if at.elapsed() < CACHED_FOR => return Ok(addresses),
            stale => stale,
        };
        match tokio::net::lookup_host((self.upstream.host.as_str(), self.upstream.port)).await {
            Ok(found) => {
                let mut found: Vec<_> = found.collect();
                found.dedup();
                let fresh = Some((Instant::now(), found.clone()));
                *self.addresses.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
                Ok(found)
            }
            // The name server may be down while the stack is not.
            Err(error) => cached.map(|(_, addresses)| addresses).ok_or(error),
        }
    }
}

/// When TCP asks an idle peer whether it is still there. Otherwise, an idle websocket whose other end has vanished would stay
/// open forever.
pub(super) const KEEPALIVE: TcpKeepalive = TcpKeepalive {
    idle: Duration::from_mins(1),
    interval: Duration::from_secs(15),
    count: 4,
    user_timeout: Duration::ZERO,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_does_not_answer_is_tried_last() {
        let stack = Stack::new(Upstream::from_uri(&"http://stack.test".parse().unwrap()).unwrap(), REST);
        let [a, b, c]: [SocketAddr; 3] =
            ["[::1]:80", "127.0.0.1:80", "127.0.0.2:80"].map(|it| it.parse().unwrap());
        *stack.addresses.lock().unwrap() = Some((Instant::now(), vec![a, b, c]));
        assert_eq!(stack.candidates().await.unwrap(), [a, b, c]);
        assert_eq!(stack.candidates().await.unwrap(), [b, c, a], "in rotation");
        stack.rest(c);
        stack.rest(a);
        for _ in 0..3 {
            assert_eq!(stack.candidates().await.unwrap(), [b, c, a]);
        }
        stack.resting.lock().unwrap().insert(a, Instant::now().checked_sub(REST).unwrap());
        assert_eq!(stack.candidates().await.unwrap(), [a, b, c], "again, after a rest");
    }
}
