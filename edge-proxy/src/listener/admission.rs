//! Which connections are open, and which of them is closed when there are too many.
//!
//! Invariant: one address has a limited number of connections. A further one replaces the oldest of its own that is idle.
//! Invariant: when all places are taken, the oldest idle connection of the address that has most is closed for a new one. A
//! connection is idle until it has sent the head of a request, and between requests. So silent clients keep nobody out, and
//! somebody who opens many connections closes their own.

use crate::fair::network;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A client may well have as many connections. Addresses with fewer than that count alike.
const USUAL: usize = 16;

/// The open connections.
#[derive(Debug, Clone)]
pub(super) struct Admission(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    total: usize,
    per_address: usize,
    state: Mutex<State>,
    /// A place is free, or a connection has become idle.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    by_address: HashMap<IpAddr, OfAddress>,
    next_ticket: u64,
}

/// The connections of one address.
#[derive(Debug, Default)]
struct OfAddress {
    open: usize,
    /// Idle connections, by the time when they became idle.
    idle: BTreeMap<u64, CancellationToken>,
}

/// The address has as many connections as it may, and all are busy.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// The place of an open connection.
#[derive(Debug)]
pub(super) struct Admitted {
    admission: Admission,
    address: IpAddr,
    /// The place among the idle ones. Only changed while the state is locked.
    ticket: Mutex<Option<u64>>,
    close: CancellationToken,
}

impl Admission {
    /// `per_address`: 0 for no limit.
    pub(super) fn new(total: usize, per_address: usize) -> Self {
        let per_address = if per_address == 0 { usize::MAX } else { per_address };
        Self(Arc::new(Inner { total, per_address, state: Mutex::default(), changed: Notify::new() }))
    }

    /// A place for a new connection, which is idle. If every place is taken by a busy connection, waits for one.
    pub(super) async fn admit(&self, address: IpAddr) -> Result<Admitted, TooMany> {
        let address = network(address);
        loop {
            let mut changed = std::pin::pin!(self.0.changed.notified());
            changed.as_mut().enable();
            if let Some(admitted) = self.try_admit(address)? {
                return Ok(admitted);
            }
            changed.await;
        }
    }

    fn try_admit(&self, address: IpAddr) -> Result<Option<Admitted>, TooMany> {
        let mut state = self.lock();
        if state.by_address.get(&address).is_some_and(|of| of.open >= self.0.per_address)
            && !state.close_oldest(address)
        {
            return Err(TooMany);
        }
        if state.open >= self.0.total && !state.make_room() {
            return Ok(None);
        }
        state.open += 1;
        state.by_address.entry(address).or_default().open += 1;
        let close = CancellationToken::new();
        let ticket = state.idle(address, close.clone());
        Ok(Some(Admitted { admission: self.clone(), address, ticket: Mutex::new(Some(ticket)), close }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn idle(&mut self, address: IpAddr, close: CancellationToken) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.by_address.entry(address).or_default().idle.insert(ticket, close);
        ticket
    }

    /// Closes the oldest idle connection of the address that has most.
    fn make_room(&mut self) -> bool {
        let idle =
            self.by_address.iter().filter_map(|(address, of)| Some((address, of, *of.idle.keys().next()?)));
        let most = idle.min_by_key(|(_, of, oldest)| (Reverse(of.open.max(USUAL)), *oldest));
        let address = most.map(|(address, ..)| *address);
        address.is_some_and(|address| self.close_oldest(address))
    }

    /// Closes the oldest idle connection of `address`. Its place is free at once.
    fn close_oldest(&mut self, address: IpAddr) -> bool {
        let oldest = self.by_address.get_mut(&address).and_then(|of| of.idle.pop_first());
        let Some((_, close)) = oldest else { return false };
        close.cancel();
        self.leave(address);
        true
    }

    fn leave(&mut self, address: IpAddr) {
        self.open = self.open.saturating_sub(1);
        if let Some(of) = self.by_address.get_mut(&address) {
            of.open -= 1;
            if of.open == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

impl Admitted {
    /// Cancelled when the connection must close.
    pub(super) fn close(&self) -> &CancellationToken {
        &self.close
    }

    /// The connection waits for a request.
    pub(super) fn is_idle(&self) {
        let mut state = self.admission.lock();
        let mut ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        if ticket.is_none() && !self.close.is_cancelled() {
            *ticket = Some(state.idle(self.address, self.close.clone()));
            drop(state);
            self.admission.0.changed.notify_one();
        }
    }

    /// The connection has a request.
    pub(super) fn is_busy(&self) {
        let mut state = self.admission.lock();
        if let Some(ticket) = self.ticket.lock().unwrap_or_else(PoisonError::into_inner).take()
            && let Some(of) = state.by_address.get_mut(&self.address)
        {
            of.idle.remove(&ticket);
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.is_busy();
        // A connection that was closed for another one has already left.
        if !self.close.is_cancelled() {
            self.admission.lock().leave(self.address);
            self.admission.0.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn address(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    fn admit(admission: &Admission, last: u8) -> Option<Result<Admitted, TooMany>> {
        admission.admit(address(last)).now_or_never()
    }

    #[test]
    fn a_further_connection_replaces_the_oldest_idle_one_of_its_address() {
        let admission = Admission::new(10, 2);
        let [first, second] = [0, 1].map(|_| admit(&admission, 1).unwrap().unwrap());
        first.is_busy();
        let third = admit(&admission, 1).unwrap().unwrap();
        assert!(second.close().is_cancelled() && !first.close().is_cancelled());
        third.is_busy();
        assert_eq!(admit(&admission, 1).unwrap().unwrap_err(), TooMany);
        assert!(admit(&admission, 2).unwrap().is_ok());
        first.is_idle();
        assert!(admit(&admission, 1).unwrap().is_ok());
        assert!(first.close().is_cancelled());
    }

    #[tokio::test]
    async fn the_oldest_idle_connection_makes_room() {
        let admission = Admission::new(2, 0);
        let [first, second] = [0, 1].map(|_| admit(&admission, 1).unwrap().unwrap());
        let third = admit(&admission, 2).unwrap().unwrap();
        assert!(first.close().is_cancelled());
        second.is_busy();
        third.is_busy();
        let mut waiting = Box::pin(admission.admit(address(3)));
        assert!(waiting.as_mut().now_or_never().is_none(), "both are busy");
        // Closed for another one: its place was free at once.
        drop(first);
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(second);
        let fourth = waiting.await.unwrap();
        drop((third, fourth));
        assert_eq!(admission.lock().open, 0);
        assert!(admission.lock().by_address.is_empty());
    }

    #[test]
    fn an_address_with_many_connections_makes_room_before_others() {
        let admission = Admission::new(30, 0);
        let few: Vec<Admitted> = (0..4).map(|_| admit(&admission, 1).unwrap().unwrap()).collect();
        let many: Vec<Admitted> = (0..26).map(|_| admit(&admission, 2).unwrap().unwrap()).collect();
        let _third = admit(&admission, 3).unwrap().unwrap();
        assert!(many[0].close().is_cancelled());
        assert!(few.iter().all(|one| !one.close().is_cancelled()), "although they are older");
        many.iter().for_each(Admitted::is_busy);
        let _fourth = admit(&admission, 3).unwrap().unwrap();
        assert!(few[0].close().is_cancelled(), "but the others are busy");
    }
}
