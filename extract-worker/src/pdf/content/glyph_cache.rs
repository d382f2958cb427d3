//! Caches properties by character code within a run. A run has one font, whose letters recur, and font
//! lookups are the most expensive part of extraction.

/// Larger codes are not cached.
const CODES: usize = 1024;

/// Cached values by character code, valid for one run.
pub(in crate::pdf) struct GlyphCache<T>(Vec<(u32, T)>);

impl<T: Copy + Default> GlyphCache<T> {
    /// An empty cache; runs are numbered from 1.
    pub(in crate::pdf) fn new() -> Self {
        Self(vec![(0, T::default()); CODES])
    }

    /// The value for a code in this run; calls `ask` on the first use.
    pub(in crate::pdf) fn get(&mut self, run: u32, code: u32, ask: impl FnOnce() -> T) -> T {
        let Some(slot) = usize::try_from(code).ok().and_then(|code| self.0.get_mut(code)) else {
            return ask();
        };
        if slot.0 != run {
            *slot = (run, ask());
        }
        slot.1
    }
}
