//! Combines a letter with an accent that is drawn over it as a separate glyph, as old TeX does: `ˇs` is `š`.

use crate::pdf::content::glyphs::{Glyph, Glyphs};
use unicode_normalization::UnicodeNormalization;

/// The letter and accent as one character, if the two glyphs overlap.
pub(in crate::pdf) fn compose(first: &Glyph, second: &Glyph, glyphs: &Glyphs) -> Option<String> {
    let width = (first.end - first.u).max(second.end - second.u);
    if (first.middle() - second.middle()).abs() > 0.4 * width {
        return None;
    }
    let single = |glyph: &Glyph| {
        let mut characters = glyphs.text(glyph).chars();
        characters.next().filter(|_| characters.next().is_none())
    };
    let (left, right) = (single(first)?, single(second)?);
    let (letter, accent) = match (combining(left), combining(right)) {
        (Some(accent), None) => (right, accent),
        (None, Some(accent)) => (left, accent),
        _ => return None,
    };
    if !letter.is_alphabetic() {
        return None;
    }
    // A dotless i or j is only used with an accent.
    let letter = match letter {
        '\u{131}' => 'i',
        '\u{237}' => 'j',
        letter => letter,
    };
    let mut composed = [letter, accent].into_iter().nfc();
    let character = composed.next()?;
    composed.next().is_none().then(|| character.to_string())
}

/// The combining form of a spacing accent.
fn combining(accent: char) -> Option<char> {
    Some(match accent {
        '`' | '\u{2cb}' => '\u{300}',
        '\u{b4}' | '\u{2ca}' => '\u{301}',
        '^' | '\u{2c6}' => '\u{302}',
        '~' | '\u{2dc}' => '\u{303}',
        '\u{af}' | '\u{2c9}' => '\u{304}',
        '\u{2d8}' => '\u{306}',
        '\u{2d9}' => '\u{307}',
        '\u{a8}' => '\u{308}',
        '\u{2da}' => '\u{30a}',
        '\u{2dd}' => '\u{30b}',
        '\u{2c7}' => '\u{30c}',
        '\u{b8}' => '\u{327}',
        '\u{2db}' => '\u{328}',
        _ => return None,
    })
}
