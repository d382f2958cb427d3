//! Which connections are open, and which of them is closed when there are too many.
//!
//! Invariant: one address has a limited number of connections. A further one replaces the oldest of its own that is idle.
//! Invariant: when all places are taken, the address that has most connections makes room for a new one. It loses the one that
//! has been idle longest: since it was opened, or between requests. Without an idle one, an address with many connections loses
//! the one that has waited longest for its client: for the body of a request, or for the client to read its response. So
//! clients that are silent, trickle, or do not read keep nobody out, and somebody who opens many connections closes their own.

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
    /// A place is free, or a connection may be closed for another one.
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
    /// Connections that may be closed, by the time since when.
    idle: BTreeMap<u64, CancellationToken>,
    waiting: BTreeMap<u64, CancellationToken>,
}

/// What a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has no request.
    Idle,
    /// It has a request, and waits until its client has sent or read more.
    Waiting,
    /// The edge, or the stack behind, works for it.
    Busy,
}

/// The address has as many connections as it may, and all are busy.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// The place of an open connection.
#[derive(Debug)]
pub(super) struct Admitted {
    admission: Admission,
    address: IpAddr,
    /// The place among those that may be closed. Only changed while the state is locked.
    phase: Mutex<(Phase, u64)>,
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
            && !state.close_oldest(address, Phase::Idle)
        {
            return Err(TooMany);
        }
        if state.open >= self.0.total && !state.make_room() {
            return Ok(None);
        }
        state.open += 1;
        state.by_address.entry(address).or_default().open += 1;
        let close = CancellationToken::new();
        let ticket = state.enter(address, Phase::Idle, &close);
        let phase = Mutex::new((Phase::Idle, ticket));
        Ok(Some(Admitted { admission: self.clone(), address, phase, close }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OfAddress {
    fn in_phase(&mut self, phase: Phase) -> Option<&mut BTreeMap<u64, CancellationToken>> {
        match phase {
            Phase::Idle => Some(&mut self.idle),
            Phase::Waiting => Some(&mut self.waiting),
            Phase::Busy => None,
        }
    }
}

impl State {
    fn enter(&mut self, address: IpAddr, phase: Phase, close: &CancellationToken) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        if let Some(connections) = self.by_address.entry(address).or_default().in_phase(phase) {
            connections.insert(ticket, close.clone());
        }
        ticket
    }

    /// Closes the oldest idle or else the oldest waiting connection of the address that has most. Addresses that have few lose
    /// idle ones only, and after all others.
    fn make_room(&mut self) -> bool {
        let candidates = self.by_address.iter().filter_map(|(address, of)| {
            let (phase, oldest) = match of.idle.keys().next() {
                Some(oldest) => (Phase::Idle, oldest),
                None if of.open > USUAL => (Phase::Waiting, of.waiting.keys().next()?),
                None => return None,
            };
            Some((*address, phase, (Reverse(of.open.max(USUAL)), *oldest)))
        });
        let most = candidates.min_by_key(|(.., order)| *order);
        most.is_some_and(|(address, phase, _)| self.close_oldest(address, phase))
    }

    /// Closes the oldest connection of `address` in `phase`. Its place is free at once.
    fn close_oldest(&mut self, address: IpAddr, phase: Phase) -> bool {
        let of = self.by_address.get_mut(&address);
        let oldest = of.and_then(|of| of.in_phase(phase)?.pop_first());
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

    /// What the connection does from now on.
    pub(super) fn enter(&self, next: Phase) {
        let mut state = self.admission.lock();
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        // A connection that was closed for another one has already left.
        if phase.0 == next || self.close.is_cancelled() {
            return;
        }
        if let Some(of) = state.by_address.get_mut(&self.address)
            && let Some(connections) = of.in_phase(phase.0)
        {
            connections.remove(&phase.1);
        }
        *phase = (next, state.enter(self.address, next, &self.close));
        drop(state);
        if next != Phase::Busy {
            self.admission.0.changed.notify_one();
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.enter(Phase::Busy);
        let mut state = self.admission.lock();
        if !self.close.is_cancelled() {
            state.leave(self.address);
            drop(state);
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
        first.enter(Phase::Busy);
        let third = admit(&admission, 1).unwrap().unwrap();
        assert!(second.close().is_cancelled() && !first.close().is_cancelled());
        third.enter(Phase::Busy);
        assert_eq!(admit(&admission, 1).unwrap().unwrap_err(), TooMany);
        assert!(admit(&admission, 2).unwrap().is_ok());
        first.enter(Phase::Idle);
        assert!(admit(&admission, 1).unwrap().is_ok());
        assert!(first.close().is_cancelled());
    }

    #[tokio::test]
    async fn the_oldest_idle_connection_makes_room() {
        let admission = Admission::new(2, 0);
        let [first, second] = [0, 1].map(|_| admit(&admission, 1).unwrap().unwrap());
        let third = admit(&admission, 2).unwrap().unwrap();
        assert!(first.close().is_cancelled());
        second.enter(Phase::Busy);
        third.enter(Phase::Busy);
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
        for one in &many {
            one.enter(Phase::Busy);
        }
        let _fourth = admit(&admission, 3).unwrap().unwrap();
        assert!(few[0].close().is_cancelled(), "but the others are busy");
    }

    #[test]
    fn a_client_that_keeps_many_requests_waiting_makes_room() {
        let admission = Admission::new(30, 0);
        let few: Vec<Admitted> = (0..10).map(|_| admit(&admission, 1).unwrap().unwrap()).collect();
        let many: Vec<Admitted> = (0..20).map(|_| admit(&admission, 2).unwrap().unwrap()).collect();
        for one in few.iter().chain(&many) {
            one.enter(Phase::Busy);
        }
        assert!(admit(&admission, 3).is_none(), "the edge works for all of them");
        for one in &few {
            one.enter(Phase::Waiting);
        }
        assert!(admit(&admission, 3).is_none(), "the address has few");
        many[5].enter(Phase::Waiting);
        many[3].enter(Phase::Waiting);
        let third = admit(&admission, 3).unwrap().unwrap();
        assert!(many[5].close().is_cancelled() && !many[3].close().is_cancelled(), "it has waited longer");
        let fourth = admit(&admission, 4).unwrap().unwrap();
        assert!(many[3].close().is_cancelled(), "although others, which have few, are idle");
        third.enter(Phase::Busy);
        fourth.enter(Phase::Busy);
        assert!(admit(&admission, 3).is_none());
        drop((few, many, third, fourth));
        assert_eq!(admission.lock().open, 0);
    }
}
