//! How good a reading of a page looks, told from the text alone.

use super::engine::Reading;
use super::unicode::is_private;

/// Below this, other engines are asked.
const GOOD: f32 = 0.85;

/// 1: flawless. Undecodable, private-use and control characters, and letters that stand alone, cost.
pub(super) fn score(reading: &Reading) -> f32 {
    let (mut letters, mut bad) = (0_usize, 0_usize);
    let (mut words, mut single) = (0_usize, 0_usize);
    for word in reading.text.split_whitespace() {
        let mut length = 0;
        let mut is_latin = true;
        for character in word.chars() {
            length += 1;
            bad += usize::from(is_private(character) || character == '\u{fffd}');
            is_latin &= character.is_alphabetic() && character < '\u{2e80}';
        }
        letters += length;
        words += 1;
        single += usize::from(length == 1 && is_latin);
    }
    if letters == 0 {
        return 0.0;
    }
    let broken = bad as f32 / letters as f32;
    let scattered = if words < 8 { 0.0 } else { single as f32 / words as f32 };
    // Over 10 % of broken characters, or half of all words single letters, is below the mark.
    let readable = (1.0 - 1.5 * broken).max(0.0);
    readable * if scattered > 0.5 { 1.0 - scattered / 2.0 } else { 1.0 }
}

/// Whether a reading will do: it looks good, or there is nothing on the page to read.
pub(super) fn is_good(reading: &Reading, score: f32) -> bool {
    score >= GOOD || reading.has_glyphs == Some(false)
}
