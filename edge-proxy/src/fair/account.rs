//! What one party uses, and has used.

use std::time::Instant;

/// After this many seconds, half of the past use is forgotten.
const HALF_LIFE: f64 = 10.0;
/// Use that matters no longer, in places multiplied by seconds.
const NEGLIGIBLE: f64 = 0.01;

/// The use of one party.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) in_use: usize,
    pub(super) waiting: usize,
    /// Places beyond the share, taken for what could not be refused.
    pub(super) owed: usize,
    /// Places multiplied by seconds until `as_of`, the older the less.
    spent: f64,
    as_of: Instant,
}

impl Account {
    pub(super) fn new(now: Instant) -> Self {
        Self { in_use: 0, waiting: 0, owed: 0, spent: 0.0, as_of: now }
    }

    /// What the party has used until `now`, including the places that it still holds.
    pub(super) fn spent(&self, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(self.as_of).as_secs_f64();
        let kept = (-seconds / HALF_LIFE).exp2();
        #[expect(clippy::cast_precision_loss, reason = "a number of places")]
        let in_use = self.in_use as f64;
        // The integral of `in_use` over the time, of which the same part is forgotten.
        self.spent * kept + in_use * HALF_LIFE / std::f64::consts::LN_2 * (1.0 - kept)
    }

    /// Sets the number of places from `now` on.
    pub(super) fn hold(&mut self, in_use: usize, now: Instant) {
        self.spent = self.spent(now);
        self.as_of = now;
        self.in_use = in_use;
    }

    /// Whether nothing is lost if the account is forgotten.
    pub(super) fn is_settled(&self, now: Instant) -> bool {
        self.is_idle() && self.spent(now) < NEGLIGIBLE
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_use == 0 && self.waiting == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn use_is_places_multiplied_by_time_and_fades() {
        let start = Instant::now();
        let after = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut account = Account::new(start);
        account.hold(3, start);
        let spent = account.spent(after(0.1));
        assert!((0.29..=0.3).contains(&spent), "{spent}");
        account.hold(0, after(0.1));
        let later = account.spent(after(10.1));
        assert!((later - spent / 2.0).abs() < 1e-9, "{later}");
        assert!(!account.is_settled(after(10.1)) && account.is_settled(after(100.0)));
        // A place that is held forever does not count as more than can be made up for.
        account.hold(1, after(0.1));
        assert!(account.spent(after(1e6)) < 15.0);
    }
}
