//! What is known of the character codes of a run. A run is of one font, whose letters come again and again,
//! and asking the font is what extraction costs most.

/// Codes beyond are asked for each time.
const CODES: usize = 1024;

/// Answers by character code, valid for one run.
pub(in crate::pdf) struct GlyphCache<T>(Vec<(u32, T)>);

impl<T: Copy + Default> GlyphCache<T> {
    /// No answers; runs are numbered from 1.
    pub(in crate::pdf) fn new() -> Self {
        Self(vec![(0, T::default()); CODES])
    }

    /// The answer for a code in that run, asked for when it is the first time.
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
