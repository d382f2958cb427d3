//! When OCR pauses, so that the files of others have their turn.
//!
//! Invariant: a slice answers at least one page, so every slice makes progress.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// After the end of a slice, pages may still follow one another this fast: copies of an image that was just read are
/// answered at once, and the next slice would have to read that image again.
const LULL: Duration = Duration::from_millis(500);

/// One slice of time.
pub(crate) struct Slice {
    length: Duration,
    started: Instant,
    remaining: Cell<usize>,
    answered: Cell<Option<Instant>>,
    has_ended: Cell<bool>,
}

impl Slice {
    /// A slice that begins now, for so many pages.
    pub(crate) fn new(length: Duration, pages: usize) -> Self {
        Self {
            length,
            started: Instant::now(),
            remaining: Cell::new(pages),
            answered: Cell::new(None),
            has_ended: Cell::new(false),
        }
    }

    /// A page was answered.
    pub(crate) fn answer(&self) {
        self.remaining.set(self.remaining.get().saturating_sub(1));
        self.answered.set(Some(Instant::now()));
    }

    /// Whether to stop now.
    pub(crate) fn is_over(&self) -> bool {
        let Some(answered) = self.answered.get().filter(|_| self.remaining.get() > 0) else { return false };
        let used = self.started.elapsed();
        let is_over =
            used >= self.length && (answered.elapsed() >= LULL || used >= self.length.saturating_mul(2));
        if is_over {
            self.has_ended.set(true);
        }
        is_over
    }

    /// Whether [`Slice::is_over`] has stopped the worker.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }
}
