//! Pages read by several threads at once, and handed over in order.
//!
//! Invariant: bounded. While the next page is being read, finished pages wait; once these are heavy, no other page is begun.
//! Invariant: no page is lost. A reader that panics hands over its panic.

use crate::sandbox::Crew;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Maximum number of finished pages that wait, and their maximum weight.
const MOST_WAITING: usize = 64;
const HEAVIEST: usize = 400_000;

/// What a reader makes of a page.
pub(super) trait Weighed: Send + 'static {
    /// About how much memory it takes.
    fn weight(&self) -> usize;
}

/// The pages of a file that are read ahead.
pub(super) struct Ahead<R>(Arc<Shared<R>>);

struct Shared<R> {
    state: Mutex<State<R>>,
    changed: Condvar,
}

struct State<R> {
    /// The first page that nobody has begun, and the number of pages.
    unclaimed: usize,
    count: usize,
    /// The next page to hand over.
    next: usize,
    finished: HashMap<usize, thread::Result<R>>,
    /// The weight of the finished pages.
    weight: usize,
}

impl<R: Weighed> Ahead<R> {
    /// Lets every helper read pages, each with a reader of its own.
    pub(super) fn new<N, P>(count: usize, crew: &Crew, reader: N) -> Self
    where
        N: FnOnce() -> P + Clone + Send + 'static,
        P: FnMut(usize) -> R,
    {
        let state = State { unclaimed: 0, count, next: 0, finished: HashMap::new(), weight: 0 };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        crew.each(|| {
            let (shared, reader) = (Arc::clone(&shared), reader.clone());
            move || shared.help(reader())
        });
        Self(shared)
    }

    /// A page. While others read it, the caller reads a page as well, with `read`.
    pub(super) fn page(&self, index: usize, mut read: impl FnMut(usize) -> R) -> R {
        let mut state = self.0.lock();
        state.next = index;
        // The weight of what waits has changed, and so may what can be begun.
        self.0.changed.notify_all();
        loop {
            if let Some(finished) = state.take(index) {
                drop(state);
                return finished.unwrap_or_else(|panic| resume_unwind(panic));
            }
            state = match state.claim() {
                Some(claimed) => {
                    drop(state);
                    self.0.read(claimed, &mut read)
                }
                None => self.0.wait(state),
            };
        }
    }
}

impl<R> Drop for Ahead<R> {
    fn drop(&mut self) {
        // Nothing is left to begin.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).count = 0;
        self.0.changed.notify_all();
    }
}

impl<R: Weighed> Shared<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, state: MutexGuard<'g, State<R>>) -> MutexGuard<'g, State<R>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads pages until all have been begun.
    fn help(&self, mut read: impl FnMut(usize) -> R) {
        let mut state = self.lock();
        while state.unclaimed < state.count {
            state = match state.claim() {
                Some(claimed) => {
                    drop(state);
                    self.read(claimed, &mut read)
                }
                None => self.wait(state),
            };
        }
    }

    fn read(&self, claimed: usize, read: &mut impl FnMut(usize) -> R) -> MutexGuard<'_, State<R>> {
        let page = catch_unwind(AssertUnwindSafe(|| read(claimed)));
        let mut state = self.lock();
        state.weight += page.as_ref().map_or(0, Weighed::weight);
        state.finished.insert(claimed, page);
        self.changed.notify_all();
        state
    }
}

impl<R: Weighed> State<R> {
    /// The next page to read, unless too much waits. The next page to hand over may always be begun.
    fn claim(&mut self) -> Option<usize> {
        let has_room = self.finished.len() < MOST_WAITING && self.weight < HEAVIEST;
        let claimed = self.unclaimed;
        (claimed < self.count && (has_room || claimed <= self.next)).then(|| {
            self.unclaimed += 1;
            claimed
        })
    }

    fn take(&mut self, index: usize) -> Option<thread::Result<R>> {
        let page = self.finished.remove(&index)?;
        self.weight -= page.as_ref().map_or(0, Weighed::weight);
        Some(page)
    }
}
