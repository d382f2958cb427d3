//! A cap on concurrent extractions across the whole cluster, without shared memory.
//!
//! Each of the `n` slots is a lock in the advisory lock manager, in a key space that SQL's
//! `pg_advisory_lock` cannot reach (it uses the fourth field for 1 and 2 only), so no user can take
//! the slots away. Waiting for one honours `lock_timeout`, `statement_timeout` and cancel.
//!
//! Invariant: a slot is free again when its holder returns, fails, is cancelled or dies.

use pgrx::pg_sys;

/// Marks the locks as Dossier's. SQL can reach only the values 1 and 2.
const KEY_SPACE: u16 = 0xD055;

/// A taken slot. Dropping it releases the slot.
pub(crate) struct Slot(pg_sys::LOCKTAG);

impl Slot {
    /// Takes one of `count` slots. Waits if all are taken.
    pub(crate) fn take(count: u32) -> Self {
        let count = count.max(1);
        if let Some(slot) = (0..count).find_map(|number| Self::lock(number, true)) {
            return slot;
        }
        // Spread the waiters over the slots by process id. Each slot queues its waiters fairly.
        // SAFETY: a plain integer that is set before any SQL runs.
        let number = unsafe { pg_sys::MyProcPid }.unsigned_abs() % count;
        loop {
            if let Some(slot) = Self::lock(number, false) {
                return slot;
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "small constants of Postgres's headers")]
    fn lock(number: u32, dont_wait: bool) -> Option<Self> {
        let tag = pg_sys::LOCKTAG {
            locktag_field1: 0, // no database: the cap is the cluster's
            locktag_field2: 0,
            locktag_field3: number,
            locktag_field4: KEY_SPACE,
            locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
            locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
        };
        // SAFETY: the tag is complete and outlives the call; the session owns the lock, so that
        // `Drop` can release it before the transaction ends.
        let result = unsafe {
            pg_sys::LockAcquire(&raw const tag, pg_sys::ExclusiveLock.cast_signed(), true, dont_wait)
        };
        // A lock that this session already holds (a second extraction within one query) counts as a slot, too. It is
        // released as often as it was taken. `then`, not `then_some`: dropping a slot that was not taken would release it.
        (result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL).then(|| Self(tag))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: the very tag and mode that `lock` took for this session.
        unsafe { pg_sys::LockRelease(&raw const self.0, pg_sys::ExclusiveLock.cast_signed(), true) };
    }
}
