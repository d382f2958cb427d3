//! How many requests one client may send: a token bucket per address, refilled evenly.

use crate::fair::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When this many addresses are known, those with a full bucket are forgotten.
const MOST_ADDRESSES: usize = 65_536;

/// Limits each address to a number of requests per minute, which may come all at once.
pub(super) struct RateLimit {
    per_minute: u32,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl RateLimit {
    /// 0: no limit.
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute, buckets: Mutex::default() }
    }

    /// Takes a token, or returns how long the next one takes.
    pub(super) fn admit(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let full = f64::from(self.per_minute);
        let per_second = full / 60.0;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_ADDRESSES {
            buckets.retain(|_, bucket| bucket.tokens + elapsed(bucket, now) * per_second < full);
            if buckets.len() >= MOST_ADDRESSES {
                // This limit cannot stop an attack from everywhere, but memory must stay bounded.
                buckets.clear();
            }
        }
        let bucket = buckets.entry(network(address)).or_insert(Bucket { tokens: full, filled: now });
        bucket.tokens = (bucket.tokens + elapsed(bucket, now) * per_second).min(full);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / per_second));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

fn elapsed(bucket: &Bucket, now: Instant) -> f64 {
    now.saturating_duration_since(bucket.filled).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let limit = RateLimit::new(60);
        let (client, other): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let start = Instant::now();
        for _ in 0..60 {
            assert!(limit.admit(client, start).is_ok());
        }
        let wait = limit.admit(client, start).unwrap_err();
        assert!(wait > Duration::from_millis(900) && wait <= Duration::from_secs(1), "{wait:?}");
        assert!(limit.admit(other, start).is_ok());
        assert!(limit.admit(client, start + Duration::from_secs(1)).is_ok());
        assert!(limit.admit(client, start + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn addresses_of_one_client_share_a_bucket() {
        let limit = RateLimit::new(1);
        let now = Instant::now();
        assert!(limit.admit("2001:db8::1".parse().unwrap(), now).is_ok());
        assert!(limit.admit("2001:db8::2".parse().unwrap(), now).is_err());
        assert!(limit.admit("2001:db8:0:1::1".parse().unwrap(), now).is_ok());
        assert!(limit.admit("::ffff:10.0.0.1".parse().unwrap(), now).is_ok());
        assert!(limit.admit("10.0.0.1".parse().unwrap(), now).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let limit = RateLimit::new(10);
        let now = Instant::now();
        for n in 0..(2 * u32::try_from(MOST_ADDRESSES).unwrap()) {
            let _ = limit.admit(IpAddr::V4(n.into()), now);
        }
        assert!(limit.buckets.lock().unwrap().len() <= MOST_ADDRESSES);
    }
}
