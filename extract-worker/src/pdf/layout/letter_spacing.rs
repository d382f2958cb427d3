//! Joins letter-spaced words, whose letters are separated by blanks or by wide gaps: `S P A C E D`.
//!
//! Single letters may also be the alphabet, initials of weekdays or variables, so they are joined only if the
//! result looks like words.

use super::spacing;
use crate::pdf::content::glyphs::{Glyph, Glyphs};
use crate::pdf::plausible::Tally;

/// Fewer letters are left alone.
const FEWEST_LETTERS: usize = 5;
/// How much wider the gaps between words are than those between letters.
const WIDER: f32 = 1.5;
/// Minimum [`Tally::score`] of the joined words.
const LEAST_SCORE: f32 = 0.3;

/// The gap between words, in ems, if the segment is letter-spaced.
pub(super) fn gap(items: &[Glyph], glyphs: &Glyphs, word_gap: f32) -> Option<f32> {
    let letters: Vec<&Glyph> = items.iter().filter(|glyph| !glyph.is_space()).collect();
    if letters.len() < FEWEST_LETTERS {
        return None;
    }
    // Most segments are ruled out by their first pair of letters.
    let mut gaps: Vec<f32> = Vec::with_capacity(letters.len() - 1);
    for pair in letters.windows(2) {
        let gap = spacing::between(pair[0], pair[1]);
        let is_mark = !pair[1].kind().is_word();
        if gap <= word_gap && !is_mark {
            return None;
        }
        gaps.push(gap);
    }
    let single = |glyph: &&Glyph| {
        let text = glyphs.text(glyph);
        let mut characters = text.chars();
        characters.next().filter(|c| characters.next().is_none() && !c.is_numeric() && *c < '\u{530}')
    };
    let words = letters.iter().filter(|glyph| glyph.kind().is_word()).count();
    if words < FEWEST_LETTERS || letters.iter().any(|glyph| single(glyph).is_none()) {
        return None;
    }
    let mut sorted = gaps.clone();
    sorted.sort_by(f32::total_cmp);
    // Most gaps are between letters, so the median is one of those.
    let border = WIDER * sorted[sorted.len() / 2].max(word_gap);
    let mut tally = Tally::default();
    let mut last = '\0';
    let mut is_alphabet = true;
    for (index, glyph) in letters.iter().enumerate() {
        let letter = single(glyph)?;
        if index > 0 && gaps[index - 1] > border {
            tally.end_word();
        }
        is_alphabet &= index == 0 || u32::from(letter) == u32::from(last) + 1;
        last = letter;
        tally.add(letter);
    }
    tally.end_word();
    (!is_alphabet && tally.score() >= LEAST_SCORE).then_some(border)
}
