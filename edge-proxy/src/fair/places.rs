//! A limited number of places, and the parties that wait for one.

use super::pool::Pool;
use super::{Full, Name, Party, Share};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How many places there are, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) total: usize,
    pub(crate) per_user: usize,
    pub(crate) per_organization: usize,
    /// How many requests of a user may wait.
    pub(crate) waiting: usize,
}

impl Limits {
    /// Half for one user and three quarters for one organization, so that they leave something to others. All may wait.
    pub(crate) fn divided(total: usize) -> Self {
        let (per_user, per_organization) = ((total / 2).max(1), (total * 3 / 4).max(1));
        Self { total, per_user, per_organization, waiting: usize::MAX }
    }
}

/// A limited number of places. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    state: Arc<Mutex<State>>,
    /// The pool that these places count in. They count in the first one, too.
    pool: usize,
}

#[derive(Debug)]
struct State {
    /// The first is the whole. Each of the others is a part of it, for one kind of use.
    pools: Vec<Pool>,
    /// The waiting requests of each user for each pool, in the order in which they arrived.
    queues: HashMap<(usize, Name), VecDeque<Waiting>>,
    next_ticket: u64,
}

/// A request that waits for a place.
#[derive(Debug)]
struct Waiting {
    ticket: u64,
    party: Party,
    /// Sent while the state is locked, so the state says whether it was sent.
    granted: oneshot::Sender<()>,
}

/// Places that a party holds until it drops them.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    party: Party,
    amount: usize,
    /// How many of them are beyond the share.
    owed: usize,
}

impl Places {
    pub(crate) fn new(limits: Limits) -> Self {
        let state = State { pools: vec![Pool::new(limits)], queues: HashMap::new(), next_ticket: 0 };
        Self { state: Arc::new(Mutex::new(state)), pool: 0 }
    }

    /// Some of these places, for one kind of use, with limits of their own. Each is one of the whole, too: a party that
    /// waits for one holds neither.
    pub(crate) fn part(&self, limits: Limits) -> Self {
        let mut state = self.lock();
        state.pools.push(Pool::new(limits));
        Self { state: Arc::clone(&self.state), pool: state.pools.len() - 1 }
    }

    /// One place, if one is free now.
    pub(crate) fn try_take(&self, party: &Party) -> Result<Place, Full> {
        self.try_take_several(party, 1)
    }

    /// `amount` places, if they are free now. A party that holds none gets them even if they are more than its share: one
    /// large response must be possible.
    pub(crate) fn try_take_several(&self, party: &Party, amount: usize) -> Result<Place, Full> {
        let mut place = Place { places: self.clone(), party: party.clone(), amount: 0, owed: 0 };
        place.grow(amount)?;
        Ok(place)
    }

    /// `amount` places, also beyond the share of `party`, for what can no longer be refused. Until the party has returned
    /// those beyond its share, [`Places::owes_nothing`] fails, so that it does not get more and more.
    pub(crate) fn take_anyway(&self, party: &Party, amount: usize) -> Place {
        let now = Instant::now();
        let mut state = self.lock();
        let owed = if state.room(self.pool, party, amount, now).is_ok() { 0 } else { amount };
        state.hold(self.pool, party, amount, now);
        state.pools[self.pool].change(party, now, |account| account.owed += owed);
        Place { places: self.clone(), party: party.clone(), amount, owed }
    }

    /// Whether `party` may begin what cannot be refused later.
    pub(crate) fn owes_nothing(&self, party: &Party) -> Result<(), Full> {
        self.lock().pools[self.pool].owes_nothing(party, Instant::now())
    }

    /// One place. Waits for it, at most for `patience`.
    pub(crate) async fn take(&self, party: &Party, patience: Duration) -> Result<Place, Full> {
        let (ticket, told) = {
            let now = Instant::now();
            let mut state = self.lock();
            if state.room(self.pool, party, 1, now).is_ok() {
                state.hold(self.pool, party, 1, now);
                return Ok(Place { places: self.clone(), party: party.clone(), amount: 1, owed: 0 });
            }
            if state.is_queue_full(self.pool, &party.user) {
                let full = state.full(self.pool, party, now);
                // Whatever is full: this user has too many requests.
                return Err(Full { share: Share::User, holder: party.user.clone(), ..full });
            }
            state.enqueue(self.pool, party, now)
        };
        let mut turn = Turn { places: self, party, ticket, told: Some(told) };
        let granted = match &mut turn.told {
            Some(told) => timeout(patience, told).await.is_ok_and(|told| told.is_ok()),
            None => false,
        };
        if granted {
            turn.told = None;
            return Ok(Place { places: self.clone(), party: party.clone(), amount: 1, owed: 0 });
        }
        // Dropping the turn leaves the queue, and returns a place that was granted at the last moment.
        drop(turn);
        Err(self.lock().full(self.pool, party, Instant::now()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self, party: &Party, amount: usize, owed: usize) {
        let now = Instant::now();
        let mut state = self.lock();
        if owed > 0 {
            state.pools[self.pool]
                .change(party, now, |account| account.owed = account.owed.saturating_sub(owed));
        }
        state.let_go(self.pool, party, amount, now);
        state.grant(now);
    }
}

impl Place {
    /// Holds `amount` more places, if they are free now.
    pub(crate) fn grow(&mut self, amount: usize) -> Result<(), Full> {
        let now = Instant::now();
        let mut state = self.places.lock();
        state.room(self.places.pool, &self.party, amount, now)?;
        state.hold(self.places.pool, &self.party, amount, now);
        drop(state);
        self.amount += amount;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.amount > 0 {
            self.places.release(&self.party, self.amount, self.owed);
        }
    }
}

/// A request in a queue. Dropped, it leaves the queue.
struct Turn<'a> {
    places: &'a Places,
    party: &'a Party,
    ticket: u64,
    told: Option<oneshot::Receiver<()>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some(mut told) = self.told.take() else { return };
        let mut state = self.places.lock();
        let was_granted = told.try_recv().is_ok();
        if !was_granted {
            state.leave(self.places.pool, self.party, self.ticket);
        }
        drop(state);
        if was_granted {
            self.places.release(self.party, 1, 0);
        }
    }
}

/// The pools in which places of `pool` count.
fn counted_in(pool: usize) -> impl Iterator<Item = usize> {
    std::iter::once(pool).chain((pool > 0).then_some(0))
}

impl State {
    /// Whether `amount` places are free for `party`.
    fn room(&self, pool: usize, party: &Party, amount: usize, now: Instant) -> Result<(), Full> {
        counted_in(pool).try_for_each(|pool| self.pools[pool].room(party, amount, now))
    }

    /// Why `party` gets no place.
    fn full(&self, pool: usize, party: &Party, now: Instant) -> Full {
        // A place may have become free a moment ago.
        self.room(pool, party, 1, now).err().unwrap_or_else(|| self.pools[pool].full(party, now))
    }

    fn hold(&mut self, pool: usize, party: &Party, amount: usize, now: Instant) {
        counted_in(pool).for_each(|pool| self.pools[pool].hold(party, amount, now));
    }

    fn let_go(&mut self, pool: usize, party: &Party, amount: usize, now: Instant) {
        counted_in(pool).for_each(|pool| self.pools[pool].let_go(party, amount, now));
    }

    fn is_queue_full(&self, pool: usize, user: &Name) -> bool {
        let queue = self.queues.get(&(pool, user.clone()));
        queue.is_some_and(|queue| queue.len() >= self.pools[pool].limits.waiting)
    }

    fn enqueue(&mut self, pool: usize, party: &Party, now: Instant) -> (u64, oneshot::Receiver<()>) {
        let (granted, told) = oneshot::channel();
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let waiting = Waiting { ticket, party: party.clone(), granted };
        self.queues.entry((pool, party.user.clone())).or_default().push_back(waiting);
        self.pools[0].change(party, now, |account| account.waiting += 1);
        (ticket, told)
    }

    fn leave(&mut self, pool: usize, party: &Party, ticket: u64) {
        let key = (pool, party.user.clone());
        let Some(queue) = self.queues.get_mut(&key) else { return };
        queue.retain(|waiting| waiting.ticket != ticket);
        if queue.is_empty() {
            self.queues.remove(&key);
        }
        self.no_longer_waits(party, Instant::now());
    }

    fn no_longer_waits(&mut self, party: &Party, now: Instant) {
        self.pools[0].change(party, now, |account| account.waiting = account.waiting.saturating_sub(1));
    }

    /// Gives free places to waiting requests, until no request may have one.
    fn grant(&mut self, now: Instant) {
        while let Some(key) = self.next(now) {
            let Some(waiting) = self.queues.get_mut(&key).and_then(VecDeque::pop_front) else { return };
            if self.queues.get(&key).is_some_and(VecDeque::is_empty) {
                self.queues.remove(&key);
            }
            self.no_longer_waits(&waiting.party, now);
            // A request that has given up is no longer in the queue, so this arrives.
            if waiting.granted.send(()).is_ok() {
                self.hold(key.0, &waiting.party, 1, now);
            }
        }
    }

    /// Picks the next queue: of the group with the least use, and in it of the user with the least use of the whole.
    fn next(&self, now: Instant) -> Option<(usize, Name)> {
        let whole = &self.pools[0];
        if whole.in_use >= whole.limits.total {
            return None;
        }
        let first = self.queues.iter().filter_map(|(key, queue)| Some((key, queue.front()?)));
        first
            .filter(|((pool, _), first)| self.room(*pool, &first.party, 1, now).is_ok())
            .min_by(|((_, user), first), ((_, other), second)| {
                whole
                    .spent(&first.party.group, now)
                    .total_cmp(&whole.spent(&second.party.group, now))
                    .then(whole.spent(user, now).total_cmp(&whole.spent(other, now)))
                    .then(first.ticket.cmp(&second.ticket))
            })
            .map(|(key, _)| key.clone())
    }
}

#[cfg(test)]
mod tests;
