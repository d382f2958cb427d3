//! Guesses characters from glyph indexes, and checks whether the guesses are plausible together.
//!
//! Wrong words are worse than missing words. If a font has renumbered its glyphs, the guesses are mostly
//! punctuation, or letters in an order that no language has.

use super::{Named, in_common_order};
use crate::pdf::plausible::Tally;
use hayro_interpret::font::{Glyph, PositionedGlyph};
use std::collections::{HashMap, HashSet};

/// Minimum share of letters, digits and blanks in any text.
const LEAST_WORDS: f32 = 0.75;
/// Minimum share of vowels among letters in any language; not applied to fewer than [`FEW_LETTERS`].
const LEAST_VOWELS: f32 = 0.28;
const FEW_LETTERS: usize = 12;
/// Minimum [`Tally::score`] of language; not applied to fewer than [`ENOUGH_LETTERS`].
const LEAST_SCORE: f32 = 0.05;
const ENOUGH_LETTERS: u32 = 24;
/// Fewer characters, such as bullets, are not judged.
const FEW_CHARACTERS: usize = 6;

/// Represents all fonts whose codes are used as characters, because hayro does not tell them apart.
const BY_CODE: u128 = 0;

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
    tally: Tally,
    /// Number of characters that continue a word.
    joined: usize,
}

impl Guesses {
    pub(in crate::pdf) fn add(&mut self, place: usize, glyph: &Glyph<'_>, character: char) {
        let font = match glyph {
            Glyph::Outline(outline) => outline.font_data().map_or(BY_CODE, |font| font.cache_key),
            Glyph::Type3(_) => BY_CODE,
        };
        self.0.insert(place, (font, character));
    }

    pub(in crate::pdf) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The positions of implausible guesses, given the positions of all shown characters, each with whether it
    /// continues the word before it.
    pub(in crate::pdf) fn wrong(self, shown: impl Iterator<Item = (usize, bool)>) -> HashSet<usize> {
        let mut fonts: HashMap<u128, Shown> = HashMap::new();
        for (place, goes_on) in shown {
            let Some((font, character)) = self.0.get(&place) else { continue };
            let shown = fonts.entry(*font).or_default();
            if !goes_on {
                shown.tally.end_word();
            }
            shown.joined += usize::from(goes_on);
            shown.add(*character);
        }
        let is_wrong = |font: &u128| {
            // Characters that stand alone may be any symbols, so they are not judged.
            let are_words = |shown: &Shown| *font != BY_CODE || 2 * shown.joined >= shown.characters;
            fonts.get(font).is_some_and(|shown| are_words(shown) && !shown.makes_sense())
        };
        self.0.iter().filter(|(_, (font, _))| is_wrong(font)).map(|(place, _)| *place).collect()
    }
}

impl Shown {
    fn add(&mut self, character: char) {
        self.characters += 1;
        self.words += usize::from(character.is_alphanumeric() || character == ' ');
        self.letters += usize::from(character.is_alphabetic());
        self.vowels += usize::from(is_vowel(character));
        self.tally.add(character);
    }

    fn makes_sense(&self) -> bool {
        let has_vowels = self.vowels as f32 >= LEAST_VOWELS * self.letters as f32;
        let has_words = self.words as f32 >= LEAST_WORDS * self.characters as f32;
        let is_language = self.tally.letters() < ENOUGH_LETTERS
            || (self.tally.score() >= LEAST_SCORE && !self.tally.is_nonsense());
        let has_letters = (has_vowels && is_language) || self.letters < FEW_LETTERS;
        self.characters < FEW_CHARACTERS || (has_words && has_letters)
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
