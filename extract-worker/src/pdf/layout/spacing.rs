//! Determines how large a gap separates words.
//!
//! In justified text, words may be only 0.12 em apart; on a pixel grid, letters may be. No constant fits
//! both, so we look at the gaps of the page: gaps between letters form one cluster, gaps between words
//! another, and the threshold is in the widest empty range between them.

use crate::pdf::content::glyphs::Glyph;

/// The threshold if a page has too few gaps.
pub(in crate::pdf) const WORD_GAP: f32 = 0.11;
/// Number of bins; each covers a hundredth of an em.
const BINS: usize = 32;
/// The bin of [`WORD_GAP`].
const WORD_BIN: usize = 11;
/// The smallest threshold; smaller gaps are rounding and kerning.
const FIRST: usize = 3;
/// Minimum number of letter pairs for an estimate.
const FEWEST_PAIRS: u32 = 60;
/// Letters further apart than this are separate words.
const WIDEST_SPACING: f32 = 0.2;

/// The gap between two glyphs, in ems of the smaller one, so that superscripts are judged by their own size.
pub(in crate::pdf) fn between(left: &Glyph, right: &Glyph) -> f32 {
    (right.u - left.end) / left.size.min(right.size)
}

/// The gap in ems that separates words on a page.
pub(in crate::pdf) fn word_gap<'g>(segments: impl Iterator<Item = &'g [Glyph]>) -> f32 {
    let mut bins = [0_u32; BINS];
    let (mut pairs, mut wide) = (0_u32, 0_u32);
    for pair in segments.flat_map(adjacent) {
        pairs += 1;
        let gap = between(&pair[0], &pair[1]);
        if (0.0..0.01 * BINS as f32).contains(&gap) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 31")]
            let bin = (gap * 100.0) as usize;
            bins[bin.min(BINS - 1)] += 1;
        }
        wide += u32::from(gap >= WORD_GAP);
    }
    if pairs < FEWEST_PAIRS {
        return WORD_GAP;
    }
    // One stray pair in six hundred does not make a cluster.
    let few = pairs / 600;
    let (mut from, mut widest) = (FIRST, 0..0);
    for (bin, count) in bins.iter().enumerate().skip(FIRST) {
        if *count > few {
            from = bin + 1;
        } else if bin + 1 - from > widest.len() {
            widest = from..bin + 1;
        }
    }
    if widest.len() < 4 {
        return WORD_GAP;
    }
    let border = widest.start as f32 + 0.4 * widest.len() as f32;
    let border = (border / 100.0).clamp(0.07, 0.2);
    // If words are set this tightly, then throughout; a few smaller gaps are due to a loosely fitted font.
    let tight: u32 = bins[widest.end..].iter().take(WORD_BIN.saturating_sub(widest.end)).sum();
    if border < WORD_GAP && tight * 8 < wide { WORD_GAP } else { border }
}

/// The same for one segment: larger if its letters are spaced out.
pub(in crate::pdf) fn of_segment(items: &[Glyph], gap: f32) -> f32 {
    // Letters shown by one instruction share its spacing; others are placed individually.
    let together = adjacent(items).filter(|pair| pair[0].run == pair[1].run);
    let mut gaps: Vec<f32> = together.map(|pair| between(&pair[0], &pair[1])).collect();
    if gaps.len() < 3 {
        return gap;
    }
    let middle = gaps.len() / 2;
    let (_, middle, _) = gaps.select_nth_unstable_by(middle, f32::total_cmp);
    let widthless = items.iter().all(|glyph| glyph.end - glyph.u < 0.01 * glyph.size);
    match *middle {
        spacing if widthless || (0.04..WIDEST_SPACING).contains(&spacing) => gap + spacing,
        spacing if spacing < 0.0 => gap + spacing.max(-0.05),
        _ => gap,
    }
}

/// Neighbours without a space character between them. The dots of a table of contents do not count, because
/// their spacing is arbitrary.
fn adjacent(items: &[Glyph]) -> impl Iterator<Item = &[Glyph]> {
    items.windows(2).filter(|pair| {
        let [left, right] = pair else { return false };
        !left.is_space() && !right.is_space() && (left.kind().is_word() || right.kind().is_word())
    })
}
