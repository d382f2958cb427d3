//! A limited number of places, and the parties that wait for one.

use super::account::Account;
use super::{Full, Name, Party, Share};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// When this many parties are known, those that use nothing are forgotten.
const MOST_ACCOUNTS: usize = 16_384;
/// The longest time after which a refused party should try again.
const LONGEST_RETRY: f64 = 30.0;

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
    /// Places without shares, for work that is short: the party that has used least comes next.
    pub(crate) fn shared(total: usize) -> Self {
        Self { total, per_user: total, per_organization: total, waiting: usize::MAX }
    }
}

/// A limited number of places. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    in_use: usize,
    accounts: HashMap<Name, Account>,
    /// The waiting requests of each user, in the order in which they arrived.
    queues: HashMap<Name, VecDeque<Waiting>>,
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
}

impl Places {
    pub(crate) fn new(limits: Limits) -> Self {
        Self(Arc::new(Inner { limits, state: Mutex::default() }))
    }

    /// One place, if one is free now.
    pub(crate) fn try_take(&self, party: &Party) -> Result<Place, Full> {
        self.try_take_several(party, 1)
    }

    /// `amount` places, if they are free now. A party that holds none gets them even if they are more than its share: one
    /// large response must be possible.
    pub(crate) fn try_take_several(&self, party: &Party, amount: usize) -> Result<Place, Full> {
        let mut place = Place { places: self.clone(), party: party.clone(), amount: 0 };
        place.grow(amount)?;
        Ok(place)
    }

    /// One place. Waits for it, at most for `patience`.
    pub(crate) async fn take(&self, party: &Party, patience: Duration) -> Result<Place, Full> {
        let (ticket, told) = {
            let now = Instant::now();
            let mut state = self.lock();
            if state.room(&self.0.limits, party, 1, now).is_ok() {
                state.hold(party, 1, now);
                return Ok(Place { places: self.clone(), party: party.clone(), amount: 1 });
            }
            if state.queues.get(&party.user).is_some_and(|queue| queue.len() >= self.0.limits.waiting) {
                let full = state.full(&self.0.limits, party, now);
                // Whatever is full: this user has too many requests.
                return Err(Full { share: Share::User, holder: party.user.clone(), ..full });
            }
            state.enqueue(party, now)
        };
        let mut turn = Turn { places: self, party, ticket, told: Some(told) };
        let granted = match &mut turn.told {
            Some(told) => timeout(patience, told).await.is_ok_and(|told| told.is_ok()),
            None => false,
        };
        if granted {
            turn.told = None;
            return Ok(Place { places: self.clone(), party: party.clone(), amount: 1 });
        }
        // Dropping the turn leaves the queue, and returns a place that was granted at the last moment.
        drop(turn);
        Err(self.lock().full(&self.0.limits, party, Instant::now()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self, party: &Party, amount: usize) {
        let now = Instant::now();
        let mut state = self.lock();
        state.let_go(party, amount, now);
        state.grant(&self.0.limits, now);
    }
}

impl Place {
    /// Holds `amount` more places, if they are free now.
    pub(crate) fn grow(&mut self, amount: usize) -> Result<(), Full> {
        let now = Instant::now();
        let mut state = self.places.lock();
        match state.room(&self.places.0.limits, &self.party, amount, now) {
            Ok(()) => state.hold(&self.party, amount, now),
            Err(full) => return Err(full),
        }
        drop(state);
        self.amount += amount;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.amount > 0 {
            self.places.release(&self.party, self.amount);
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
            state.leave(self.party, self.ticket);
        }
        drop(state);
        if was_granted {
            self.places.release(self.party, 1);
        }
    }
}

impl State {
    /// Whether `amount` places are free for `party`.
    fn room(&self, limits: &Limits, party: &Party, amount: usize, now: Instant) -> Result<(), Full> {
        if party.is_edge {
            return Ok(());
        }
        let beyond = |used: usize, most: usize| used > 0 && used.saturating_add(amount) > most;
        let (user, group) = (self.in_use(&party.user), self.in_use(&party.group));
        let of_user = party.user != Name::Service && beyond(user, limits.per_user);
        if of_user || beyond(group, limits.per_organization) || beyond(self.in_use, limits.total) {
            return Err(self.full(limits, party, now));
        }
        Ok(())
    }

    /// Why `party` gets no place: its own share is used up, or everything is.
    fn full(&self, limits: &Limits, party: &Party, now: Instant) -> Full {
        let is_full = |name: &Name, most: usize| most < limits.total && self.in_use(name) >= most.max(1);
        let retry_after = |name: &Name, most: usize| {
            let spent = self.accounts.get(name).map_or(0.0, |account| account.spent(now));
            #[expect(clippy::cast_precision_loss, reason = "a number of places")]
            Duration::from_secs_f64((spent / most.max(1) as f64).clamp(1.0, LONGEST_RETRY))
        };
        let (share, holder, places) = if party.user != Name::Service && is_full(&party.user, limits.per_user)
        {
            (Share::User, &party.user, limits.per_user)
        } else if is_full(&party.group, limits.per_organization) {
            (Share::Group, &party.group, limits.per_organization)
        } else {
            (Share::All, &party.user, limits.total)
        };
        Full { share, retry_after: retry_after(holder, places), holder: holder.clone(), places }
    }

    fn in_use(&self, name: &Name) -> usize {
        self.accounts.get(name).map_or(0, |account| account.in_use)
    }

    fn hold(&mut self, party: &Party, amount: usize, now: Instant) {
        self.in_use += amount;
        self.change(party, now, |account| account.hold(account.in_use + amount, now));
    }

    fn let_go(&mut self, party: &Party, amount: usize, now: Instant) {
        self.in_use = self.in_use.saturating_sub(amount);
        self.change(party, now, |account| account.hold(account.in_use.saturating_sub(amount), now));
        if self.accounts.len() > MOST_ACCOUNTS {
            self.accounts.retain(|_, account| !account.is_settled(now));
            if self.accounts.len() > MOST_ACCOUNTS {
                // What those have used is forgotten. Memory must stay bounded.
                self.accounts.retain(|_, account| !account.is_idle());
            }
        }
    }

    /// Changes the accounts of a party: of the user, and of the group if it is another one.
    fn change(&mut self, party: &Party, now: Instant, mut change: impl FnMut(&mut Account)) {
        if party.is_edge {
            return;
        }
        change(self.accounts.entry(party.user.clone()).or_insert_with(|| Account::new(now)));
        if party.group != party.user {
            change(self.accounts.entry(party.group.clone()).or_insert_with(|| Account::new(now)));
        }
    }

    fn enqueue(&mut self, party: &Party, now: Instant) -> (u64, oneshot::Receiver<()>) {
        let (granted, told) = oneshot::channel();
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let waiting = Waiting { ticket, party: party.clone(), granted };
        self.queues.entry(party.user.clone()).or_default().push_back(waiting);
        self.change(party, now, |account| account.waiting += 1);
        (ticket, told)
    }

    fn leave(&mut self, party: &Party, ticket: u64) {
        let Some(queue) = self.queues.get_mut(&party.user) else { return };
        queue.retain(|waiting| waiting.ticket != ticket);
        if queue.is_empty() {
            self.queues.remove(&party.user);
        }
        self.change(party, Instant::now(), |account| account.waiting = account.waiting.saturating_sub(1));
    }

    /// Gives free places to waiting requests, until no request may have one.
    fn grant(&mut self, limits: &Limits, now: Instant) {
        while let Some(user) = self.next(limits, now) {
            let Some(waiting) = self.queues.get_mut(&user).and_then(VecDeque::pop_front) else { return };
            if self.queues.get(&user).is_some_and(VecDeque::is_empty) {
                self.queues.remove(&user);
            }
            self.change(&waiting.party, now, |account| account.waiting = account.waiting.saturating_sub(1));
            // A request that has given up is no longer in the queue, so this arrives.
            if waiting.granted.send(()).is_ok() {
                self.hold(&waiting.party, 1, now);
            }
        }
    }

    /// Picks the next user: first the group with the least use, then the user with the least use in it.
    fn next(&self, limits: &Limits, now: Instant) -> Option<Name> {
        if self.in_use >= limits.total {
            return None;
        }
        let spent = |name: &Name| self.accounts.get(name).map_or(0.0, |account| account.spent(now));
        let first = self.queues.iter().filter_map(|(user, queue)| Some((user, queue.front()?)));
        first
            .filter(|(_, first)| self.room(limits, &first.party, 1, now).is_ok())
            .min_by(|(user, first), (other, second)| {
                spent(&first.party.group)
                    .total_cmp(&spent(&second.party.group))
                    .then(spent(user).total_cmp(&spent(other)))
                    .then(first.ticket.cmp(&second.ticket))
            })
            .map(|(user, _)| user.clone())
    }
}

#[cfg(test)]
mod tests;
