//! Whether a page was drawn completely.

/// Whether a page was drawn completely, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::pdf) enum DrawOutcome {
    /// The interpreter stopped at a malformed or too deeply nested instruction.
    #[default]
    BrokenOff,
    /// The end was reached.
    Reached,
    /// A form at the maximum depth was skipped.
    TooDeep,
    /// The budget of calls or glyphs was exhausted.
    TooMuch,
}

impl DrawOutcome {
    /// An explanation for people, if the page was not drawn completely.
    pub(in crate::pdf) fn says(self) -> Option<&'static str> {
        match self {
            Self::Reached => None,
            Self::BrokenOff => Some("the page is cut off where its content is malformed"),
            Self::TooDeep => {
                Some("the page is cut off where its forms draw themselves or are nested too deeply")
            }
            Self::TooMuch => Some("the page is cut off because it draws too many objects"),
        }
    }
}

/// Marked content that is appended to a page. Reaching it proves that everything before it was interpreted.
pub(in crate::pdf) const END_OF_PAGE: &str = "DossierEndOfPage";
