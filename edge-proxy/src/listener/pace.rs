//! How fast the body of a request must arrive, and how much of it may.
//!
//! Only the time counts in which the handler waits for the client. A client that sends faster than the body can be stored is
//! never blamed for it.

use crate::config;
use std::time::{Duration, Instant};

/// The limits of a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimits {
    pub(super) bytes: u64,
    /// Bytes per second, on average. 0: no limit.
    pub(super) rate: u64,
    /// How long the body may be slower than that at first.
    pub(super) grace: Duration,
    /// How long all of it may take.
    pub(super) whole: Duration,
}

impl BodyLimits {
    pub(super) fn new(config: &config::Listener) -> Self {
        Self {
            bytes: config.request_max_bytes,
            rate: config.body_min_rate,
            grace: config.body_grace,
            whole: config.body_time,
        }
    }
}

/// A body on its way.
#[derive(Debug)]
pub(super) struct Pace {
    limits: BodyLimits,
    began: Option<Instant>,
    waited: Duration,
    waiting_since: Option<Instant>,
    bytes: u64,
}

impl Pace {
    pub(super) fn new(limits: BodyLimits) -> Self {
        Self { limits, began: None, waited: Duration::ZERO, waiting_since: None, bytes: 0 }
    }

    /// The handler waits for the client: for how long it may do so.
    pub(super) fn patience(&mut self, now: Instant) -> Duration {
        let began = *self.began.get_or_insert(now);
        let since = *self.waiting_since.get_or_insert(now);
        let whole = self.limits.whole.saturating_sub(now.saturating_duration_since(began));
        let Some(earned) = self.bytes.saturating_mul(1000).checked_div(self.limits.rate) else {
            return whole;
        };
        let waited = self.waited + now.saturating_duration_since(since);
        whole.min((self.limits.grace + Duration::from_millis(earned)).saturating_sub(waited))
    }

    /// `bytes` have arrived. Whether that is as many as there may be.
    pub(super) fn received(&mut self, bytes: usize, now: Instant) -> bool {
        if let Some(since) = self.waiting_since.take() {
            self.waited += now.saturating_duration_since(since);
        }
        self.bytes += bytes as u64;
        self.bytes <= self.limits.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(20);

    #[test]
    fn only_the_time_of_the_client_counts() {
        let limits =
            BodyLimits { bytes: 1_000_000, rate: 1000, grace: GRACE, whole: Duration::from_hours(1) };
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut pace = Pace::new(limits);
        assert_eq!(pace.patience(at(0)), GRACE);
        assert_eq!(pace.patience(at(5)), Duration::from_secs(15), "it still waits");
        assert!(pace.received(2000, at(5)));
        // The handler was busy for a minute.
        assert_eq!(pace.patience(at(65)), Duration::from_secs(17));
        assert_eq!(pace.patience(at(65) + GRACE), Duration::ZERO);
    }

    #[test]
    fn a_body_ends_in_time_and_size() {
        let limits = BodyLimits { bytes: 10, rate: 0, grace: GRACE, whole: Duration::from_mins(1) };
        let start = Instant::now();
        let mut pace = Pace::new(limits);
        assert_eq!(pace.patience(start), Duration::from_mins(1));
        assert!(pace.received(10, start));
        assert_eq!(pace.patience(start + Duration::from_secs(61)), Duration::ZERO);
        assert!(!pace.received(1, start));
    }
}
