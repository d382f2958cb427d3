//! The characters of a glyph, and what they are to the line that it stands in.

use unicode_bidi::BidiClass;

/// Where they are in the text of all glyphs.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::pdf) struct Characters {
    start: u32,
    len: u16,
    pub(in crate::pdf) kind: Kind,
}

impl Characters {
    /// What a text holds from that byte on; nothing where that is too much to count.
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
    /// Holds a letter or a digit.
    Word,
    /// Holds a letter that runs from right to left.
    RightToLeft,
    /// Marks alone, which belong to a letter: Arabic vowels, for example.
    Mark,
    /// Anything else.
    #[default]
    Sign,
}

impl Kind {
    pub(in crate::pdf) fn of(text: &str) -> Self {
        // Everything below U+0300 is no mark, and below U+0590 runs from left to right.
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
