//! How many places there are, and how many of them each party holds.

use super::account::Account;
use super::{Full, Limits, Name, Party, Share};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// When this many parties are known, those that use nothing are forgotten.
pub(super) const MOST_ACCOUNTS: usize = 16_384;
/// The longest time after which a refused party should try again.
const LONGEST_RETRY: f64 = 30.0;

/// Places that are counted together.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) limits: Limits,
    pub(super) in_use: usize,
    pub(super) accounts: HashMap<Name, Account>,
}

impl Pool {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, in_use: 0, accounts: HashMap::new() }
    }

    /// Whether `amount` places are free for `party`.
    pub(super) fn room(&self, party: &Party, amount: usize, now: Instant) -> Result<(), Full> {
        if party.is_edge {
            return Ok(());
        }
        let Limits { total, per_user, per_organization, .. } = self.limits;
        let beyond = |used: usize, most: usize| used > 0 && used.saturating_add(amount) > most;
        let (user, group) = (self.held_by(&party.user), self.held_by(&party.group));
        let of_user = party.user != Name::Service && beyond(user, per_user);
        if of_user || beyond(group, per_organization) || beyond(self.in_use, total) {
            return Err(self.full(party, now));
        }
        Ok(())
    }

    /// Why `party` gets no place: its own share is used up, or everything is.
    pub(super) fn full(&self, party: &Party, now: Instant) -> Full {
        let Limits { total, per_user, per_organization, .. } = self.limits;
        let is_full = |name: &Name, most: usize| most < total && self.held_by(name) >= most.max(1);
        let retry_after = |name: &Name, most: usize| {
            #[expect(clippy::cast_precision_loss, reason = "a number of places")]
            Duration::from_secs_f64((self.spent(name, now) / most.max(1) as f64).clamp(1.0, LONGEST_RETRY))
        };
        let (share, holder, places) = if party.user != Name::Service && is_full(&party.user, per_user) {
            (Share::User, &party.user, per_user)
        } else if is_full(&party.group, per_organization) {
            (Share::Group, &party.group, per_organization)
        } else {
            (Share::All, &party.user, total)
        };
        Full { share, retry_after: retry_after(holder, places), holder: holder.clone(), places }
    }

    fn held_by(&self, name: &Name) -> usize {
        self.accounts.get(name).map_or(0, |account| account.in_use)
    }

    /// What a party has used until `now`.
    pub(super) fn spent(&self, name: &Name, now: Instant) -> f64 {
        self.accounts.get(name).map_or(0.0, |account| account.spent(now))
    }

    /// Whether `party` holds no places beyond its share.
    pub(super) fn owes_nothing(&self, party: &Party, now: Instant) -> Result<(), Full> {
        let owes = self.accounts.get(&party.user).is_some_and(|account| account.owed > 0);
        if owes && !party.is_edge { Err(self.full(party, now)) } else { Ok(()) }
    }

    pub(super) fn hold(&mut self, party: &Party, amount: usize, now: Instant) {
        self.in_use += amount;
        self.change(party, now, |account| account.hold(account.in_use + amount, now));
    }

    pub(super) fn let_go(&mut self, party: &Party, amount: usize, now: Instant) {
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
    pub(super) fn change(&mut self, party: &Party, now: Instant, mut change: impl FnMut(&mut Account)) {
        if party.is_edge {
            return;
        }
        change(self.accounts.entry(party.user.clone()).or_insert_with(|| Account::new(now)));
        if party.group != party.user {
            change(self.accounts.entry(party.group.clone()).or_insert_with(|| Account::new(now)));
        }
    }
}
