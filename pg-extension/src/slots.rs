//! A cap on concurrent extractions across the whole cluster, without shared memory.
//!
//! Each of the `n` slots is a lock in the advisory lock manager, in a key space that SQL's
//! `pg_advisory_lock` cannot reach (it uses the fourth field for 1 and 2 only), so no user can take
//! the slots away. Waiting for one honours `lock_timeout`, `statement_timeout` and cancel.
//!
//! OCR takes long, so it never has the last slot: text always finds one soon.
//!
//! The waiters form one queue, and those for OCR another. A queue is another such lock: Postgres grants it in the order in which they arrived (`pg_stat_activity`
//! shows them waiting for it). Only the first of the queue looks for a free slot, so whichever is free first is taken first.
//!
//! Invariant: a slot is free again when its holder returns, fails, is cancelled or dies.

use crate::extraction::WaitEvent;
use pgrx::{check_for_interrupts, pg_sys};
use std::thread::sleep;
use std::time::Duration;

/// Marks the locks as Dossier's. SQL can reach only the values 1 and 2.
const KEY_SPACE: u16 = 0xD055;

/// The numbers of the locks that the waiters queue for. No slot has them.
const QUEUE: u32 = u32::MAX;
const OCR_QUEUE: u32 = u32::MAX - 1;
/// How often the first of the queue looks for a free slot, and for a cancel.
const LOOK: Duration = Duration::from_millis(10);

/// A taken slot. Dropping it releases the slot.
pub(crate) struct Slot(pg_sys::LOCKTAG);

impl Slot {
    /// Takes one of `count` slots. Waits if all are taken.
    pub(crate) fn take(count: u32) -> Self {
        Self::take_of(count.max(1), QUEUE)
    }

    /// Takes one of `count` slots except the last one. If there is only one, it is that one.
    pub(crate) fn take_for_ocr(count: u32) -> Self {
        Self::take_of(count.saturating_sub(1).max(1), OCR_QUEUE)
    }

    fn take_of(count: u32, queue: u32) -> Self {
        let queue = Self::join(queue);
        loop {
            // From the last one, which text alone may take, so that the others stay free for OCR.
            if let Some(slot) = (0..count).rev().find_map(|number| Self::lock(number, true)) {
                drop(queue);
                return slot;
            }
            let waiting = WaitEvent::begin();
            sleep(LOOK);
            drop(waiting);
            // An error here unwinds and drops `queue`.
            check_for_interrupts!();
        }
    }

    /// Waits until every backend that joined this queue earlier has a slot.
    fn join(queue: u32) -> Self {
        loop {
            if let Some(first) = Self::lock(queue, false) {
                return first;
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
