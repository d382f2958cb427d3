//! Where words part: how large a gap is a space.
//!
//! Justified text may set its words 0.12 em apart, text on a pixel grid its letters: no constant fits
//! both. A page's own gaps tell: letters make one heap, words another, and the border is the widest empty
//! stretch between them.

use crate::pdf::content::glyphs::Glyph;

/// The border where a page has too few gaps to tell.
pub(in crate::pdf) const WORD_GAP: f32 = 0.11;
/// Gaps are counted in bins of a hundredth em, up to this one.
const BINS: usize = 32;
/// The bin of [`WORD_GAP`].
const WORD_BIN: usize = 11;
/// The border is looked for from here on; smaller gaps are rounding and kerning.
const FIRST: usize = 3;
/// Fewer pairs of letters say nothing.
const FEWEST_PAIRS: u32 = 60;
/// Letters that are set further apart than this are words of one letter.
const WIDEST_SPACING: f32 = 0.2;

/// The gap between two glyphs in ems, of the smaller one: it decides about a superscript's neighbours.
pub(in crate::pdf) fn between(left: &Glyph, right: &Glyph) -> f32 {
    (right.u - left.end) / left.size.min(right.size)
}

/// The gap, in ems, from which on words part on a page.
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
    // A stray pair in six hundred makes no heap.
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
    // Words that are set so tightly are set so throughout; a few gaps below are a font's loose fit.
    let tight: u32 = bins[widest.end..].iter().take(WORD_BIN.saturating_sub(widest.end)).sum();
    if border < WORD_GAP && tight * 8 < wide { WORD_GAP } else { border }
}

/// The same for one segment: more where its letters themselves are set apart.
pub(in crate::pdf) fn of_segment(items: &[Glyph], gap: f32) -> f32 {
    // Letters that one instruction shows share its spacing; others are placed one by one.
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

/// Neighbours without a space character between them. The dots of a table of contents do not count: they
/// are set as wide as they please.
fn adjacent(items: &[Glyph]) -> impl Iterator<Item = &[Glyph]> {
    items.windows(2).filter(|pair| {
        let [left, right] = pair else { return false };
        !left.is_space() && !right.is_space() && (left.kind().is_word() || right.kind().is_word())
    })
}
