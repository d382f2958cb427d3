//! Waiting without a snapshot. A snapshot keeps vacuum, in every table of the database, from removing rows that were deleted
//! after it was taken.
//!
//! Invariant: releases only a snapshot that belongs to the running `call` itself. Postgres lets procedures lose it (a commit
//! inside one does), and takes a new one at the next need. Snapshots of functions, cursors and savepoints above are kept.

use pgrx::pg_sys;

/// Does `work` without the snapshot of the running `call`. `work` must not use SQL. Afterwards SQL sees what was committed
/// meanwhile. Inside a function the snapshot is kept, because its caller uses it again.
pub(crate) fn released<T>(work: impl FnOnce() -> T) -> T {
    release();
    let result = work();
    // SAFETY: a portal is running, because SQL called this. Does nothing if the snapshot was kept.
    unsafe { pg_sys::EnsurePortalSnapshotExists() };
    result
}

fn release() {
    // SAFETY: ActivePortal is null or points at the portal that runs this code.
    let Some(portal) = (unsafe { pg_sys::ActivePortal.as_mut() }) else { return };
    // SAFETY: read only the state of this backend.
    let is_its_own = unsafe {
        !portal.portalSnapshot.is_null()
            && pg_sys::ActiveSnapshotSet()
            && pg_sys::GetActiveSnapshot() == portal.portalSnapshot
            && pg_sys::GetCurrentTransactionNestLevel() == portal.createLevel
    };
    if is_its_own {
        // What Postgres does in ForgetPortalSnapshots(), for one portal.
        portal.portalSnapshot = std::ptr::null_mut();
        // SAFETY: the active snapshot is the one that this portal pushed, and nothing else refers to it. That of the catalogue
        // is a cache, which Postgres fills again when it looks up a name.
        unsafe {
            pg_sys::PopActiveSnapshot();
            pg_sys::InvalidateCatalogSnapshot();
        }
    }
}
