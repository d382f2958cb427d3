//! Guesses characters from glyph indexes, and checks whether the guesses are plausible together.
//!
//! Wrong words are worse than missing words. If a font has renumbered its glyphs, the guesses are mostly
//! punctuation. If the indexes are shifted, the guesses are letters with hardly any vowels.

use super::{Named, in_common_order};
use hayro_interpret::font::{Glyph, PositionedGlyph};
use std::collections::{HashMap, HashSet};

/// Minimum share of letters, digits and blanks in any text.
const LEAST_WORDS: f32 = 0.75;
/// Minimum share of vowels among letters in any language; not applied to fewer than [`FEW_LETTERS`].
const LEAST_VOWELS: f32 = 0.28;
const FEW_LETTERS: usize = 12;

/// The guesses of a page: font and character, by position in the text of all glyphs.
#[derive(Debug, Default)]
pub(in crate::pdf) struct Guesses(HashMap<usize, (u128, char)>);

/// Statistics about the guesses for a font, counting each occurrence.
#[derive(Debug, Default)]
struct Shown {
    characters: usize,
    words: usize,
    letters: usize,
    vowels: usize,
}

impl Guesses {
    pub(in crate::pdf) fn add(&mut self, place: usize, glyph: &Glyph<'_>, character: char) {
        let font = match glyph {
            Glyph::Outline(outline) => outline.font_data().map_or(0, |font| font.cache_key),
            Glyph::Type3(_) => 0,
        };
        self.0.insert(place, (font, character));
    }

    /// The positions of implausible guesses, given the positions of all shown characters.
    pub(in crate::pdf) fn wrong(self, shown: impl Iterator<Item = usize>) -> HashSet<usize> {
        if self.0.is_empty() {
            return HashSet::new();
        }
        let mut fonts: HashMap<u128, Shown> = HashMap::new();
        for (font, character) in shown.filter_map(|place| self.0.get(&place)) {
            fonts.entry(*font).or_default().add(*character);
        }
        let is_wrong = |font| fonts.get(font).is_some_and(|shown| !shown.makes_sense());
        self.0.iter().filter(|(_, (font, _))| is_wrong(font)).map(|(place, _)| *place).collect()
    }
}

impl Shown {
    fn add(&mut self, character: char) {
        self.characters += 1;
        self.words += usize::from(character.is_alphanumeric() || character == ' ');
        self.letters += usize::from(character.is_alphabetic());
        self.vowels += usize::from(is_vowel(character));
    }

    fn makes_sense(&self) -> bool {
        let has_vowels = self.vowels as f32 >= LEAST_VOWELS * self.letters as f32;
        let has_words = self.words as f32 >= LEAST_WORDS * self.characters as f32;
        has_words && (has_vowels || self.letters < FEW_LETTERS)
    }
}

/// Accented letters usually are vowels.
fn is_vowel(letter: char) -> bool {
    matches!(letter.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
        || (!letter.is_ascii() && letter.is_alphabetic())
}

/// Whether a run belongs to a composite font that is missing from the file. hayro then shows its bytes in
/// Helvetica, and every other byte is zero.
pub(in crate::pdf) fn is_of_lost_font(run: &[PositionedGlyph<'_>]) -> bool {
    let is_zero = |glyph: &Glyph<'_>| {
        glyph.char_code() == 0 && matches!(glyph, Glyph::Outline(outline) if outline.font_data().is_none())
    };
    run.len().is_multiple_of(2) && run.iter().step_by(2).all(|glyph| is_zero(glyph))
}

/// The guessed character for a glyph of a missing font.
pub(in crate::pdf) fn lost(glyph: &Glyph<'_>) -> Named {
    Named::Perhaps(in_common_order(glyph.char_code()).unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// The advance of both bytes of such a glyph, in ems. Helvetica has no width for most of them.
pub(in crate::pdf) fn lost_width(bytes: &[PositionedGlyph<'_>]) -> f32 {
    let advance = |glyph: &Glyph<'_>| match glyph {
        Glyph::Outline(outline) => outline.advance_width().unwrap_or(0.0),
        Glyph::Type3(shape) => shape.advance_width().unwrap_or(0.0),
    };
    bytes.iter().map(|glyph| advance(glyph)).sum::<f32>() / 1000.0
}
