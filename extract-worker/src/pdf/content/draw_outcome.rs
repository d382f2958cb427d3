//! How far a page was drawn, and what people should know of it.

/// How far a page was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::pdf) enum DrawOutcome {
    /// The interpreter gave up on a broken or all too nested instruction.
    #[default]
    BrokenOff,
    /// There was nothing more.
    Reached,
    /// A form at the greatest depth was left out.
    TooDeep,
    /// The budget of calls or glyphs was spent.
    TooMuch,
}

impl DrawOutcome {
    /// What people should know about a page that was not drawn to its end.
    pub(in crate::pdf) fn says(self) -> Option<&'static str> {
        match self {
            Self::Reached => None,
            Self::BrokenOff => Some("the page is cut off where its content is broken"),
            Self::TooDeep => Some("the page is cut off where its forms draw themselves or nest too deep"),
            Self::TooMuch => Some("the page is cut off where it draws more than any page needs"),
        }
    }
}

/// Stands behind a page's content, as marked content: it is reached when all before it was read.
pub(in crate::pdf) const END_OF_PAGE: &str = "DossierEndOfPage";
