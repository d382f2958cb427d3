//! How good a reading of a page looks, told from the text alone.

use super::engine::Reading;
use super::unicode::is_private;

/// Readings with a larger share of broken characters make other engines be asked.
const MOST_BROKEN: f32 = 0.1;

/// What a reading looks like.
struct Looks {
    /// Characters that are no blanks.
    letters: usize,
    /// The share of undecodable and private-use characters.
    broken: f32,
    /// The share of words that are a single letter.
    scattered: f32,
}

/// 1: flawless; 0: nothing. Broken characters cost, and letters that stand alone.
pub(super) fn score(reading: &Reading) -> f32 {
    let looks = look(&reading.text);
    if looks.letters == 0 {
        return 0.0;
    }
    let readable = (1.0 - looks.broken).max(0.0);
    readable * if looks.scattered > 0.5 { 1.0 - looks.scattered / 2.0 } else { 1.0 }
}

/// Whether a reading will do: it looks good, or there is nothing on the page to read.
///
/// Words of one letter are no reason to ask on where glyphs have told the words: then the page shows them so.
pub(super) fn is_good(reading: &Reading) -> bool {
    match reading.has_glyphs {
        Some(false) => true,
        Some(true) => {
            let looks = look(&reading.text);
            looks.letters > 0 && looks.broken <= MOST_BROKEN
        }
        None => score(reading) >= 1.0 - MOST_BROKEN,
    }
}

fn look(text: &str) -> Looks {
    let (mut letters, mut broken, mut words, mut single) = (0_usize, 0_usize, 0_usize, 0_usize);
    for word in text.split_whitespace() {
        let mut length = 0;
        let mut is_latin = true;
        for character in word.chars() {
            length += 1;
            broken += usize::from(is_private(character) || character == char::REPLACEMENT_CHARACTER);
            is_latin &= character.is_alphabetic() && character < '\u{2e80}';
        }
        letters += length;
        words += 1;
        single += usize::from(length == 1 && is_latin);
    }
    Looks {
        letters,
        broken: broken as f32 / letters.max(1) as f32,
        scattered: if words < 8 { 0.0 } else { single as f32 / words as f32 },
    }
}
