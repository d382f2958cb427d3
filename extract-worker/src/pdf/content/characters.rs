//! The characters of a glyph, and their kind for layout.

use unicode_bidi::BidiClass;

/// The range of characters in the text of all glyphs.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::pdf) struct Characters {
    start: u32,
    len: u16,
    pub(in crate::pdf) kind: Kind,
}

impl Characters {
    /// The characters from this byte on; empty if the range is too large to store.
    pub(in crate::pdf) fn since(start: usize, text: &str) -> Self {
        let kind = Kind::of(&text[start..]);
        match (u32::try_from(start), u16::try_from(text.len() - start)) {
            (Ok(start), Ok(len)) => Self { start, len, kind },
            _ => Self::default(),
        }
    }

    pub(in crate::pdf) fn start(self) -> usize {
        self.start as usize
    }

    pub(in crate::pdf) fn is_empty(self) -> bool {
        self.len == 0
    }

    pub(in crate::pdf) fn of(self, text: &str) -> &str {
        &text[self.start as usize..self.start as usize + usize::from(self.len)]
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::pdf) enum Kind {
    /// Blank.
    Space,
    /// Contains a letter or digit.
    Word,
    /// Contains a right-to-left letter.
    RightToLeft,
    /// Only combining marks, which belong to a letter: for example Arabic vowels.
    Mark,
    /// Anything else.
    #[default]
    Sign,
}

impl Kind {
    pub(in crate::pdf) fn of(text: &str) -> Self {
        // No character below U+0300 is a mark or right-to-left.
        let class = |c| if c < '\u{300}' { BidiClass::ON } else { unicode_bidi::bidi_class(c) };
        if text.chars().all(char::is_whitespace) {
            Self::Space
        } else if text.chars().any(|c| matches!(class(c), BidiClass::R | BidiClass::AL)) {
            Self::RightToLeft
        } else if text.chars().all(|c| class(c) == BidiClass::NSM) {
            Self::Mark
        } else if text.chars().any(char::is_alphanumeric) {
            Self::Word
        } else {
            Self::Sign
        }
    }

    pub(in crate::pdf) fn is_word(self) -> bool {
        matches!(self, Self::Word | Self::RightToLeft)
    }
}
