//! Tells the text of a page from what is only stamped on a scan: running heads, page numbers, case numbers,
//! watermarks.

use super::glyphs::{Glyph, Glyphs};
use hayro_interpret::kurbo::Rect;

/// Height of the top and bottom margins, as a share of the page.
const MARGIN: f32 = 0.09;
/// Fewer letters in smaller type (as a share of the page's height) may be a stamp anywhere on a scan.
const SMALL_TYPE: f32 = 0.022;
const MOST_IN_STAMPS: usize = 300;
/// An image that covers this share of the page is a scan of it.
const WHOLE_PAGE: f32 = 0.85;

/// The number of letters that are not just stamped on the page. The invisible text layer of a scan counts.
pub(in crate::pdf) fn letters_beside(glyphs: &Glyphs, page: Rect) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "page coordinates")]
    let (top, height) = (page.y0 as f32, page.height() as f32);
    let (mut seen, mut hidden, mut largest) = (0, 0, 0.0_f32);
    for glyph in glyphs.list.iter().filter(|glyph| glyph.kind().is_word()) {
        if !glyph.is_visible {
            hidden += 1;
        } else if !is_in_margin(glyph, glyphs, top, height) {
            seen += 1;
            largest = largest.max(glyph.size);
        }
    }
    let may_be_stamps = seen < MOST_IN_STAMPS && largest < SMALL_TYPE * height;
    let seen = if may_be_stamps && glyphs.images.share() >= WHOLE_PAGE { 0 } else { seen };
    seen + hidden
}

/// Whether a glyph is in the top or bottom margin, or runs diagonally.
fn is_in_margin(glyph: &Glyph, glyphs: &Glyphs, top: f32, height: f32) -> bool {
    let frame = glyphs.frames[usize::from(glyph.frame)];
    if !frame.is_upright() {
        return !frame.is_right();
    }
    let place = (glyph.v - top) / height;
    !(MARGIN..1.0 - MARGIN).contains(&place)
}
