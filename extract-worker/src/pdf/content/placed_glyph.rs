//! One glyph as hayro draws it: its position and size, and a fallback for unknown characters.

use hayro_interpret::font::{Glyph as Drawn, PositionedGlyph};
use hayro_interpret::kurbo::{Affine, Point, Shape};

/// The position of a glyph before its direction and scaling are known.
pub(in crate::pdf) struct PlacedGlyph {
    pub(in crate::pdf) origin: Point,
    pub(in crate::pdf) angle: f32,
    pub(in crate::pdf) size: f32,
    /// Advance in ems, before scaling.
    pub(in crate::pdf) width: f32,
    /// Ratio of the width to the height of its em.
    pub(in crate::pdf) ratio: f32,
    /// Mirrored, so it starts at its right side. The E in the `XeTeX` logo is.
    pub(in crate::pdf) mirrored: bool,
    transform: Affine,
}

impl PlacedGlyph {
    #[expect(clippy::cast_possible_truncation, reason = "page coordinates")]
    pub(in crate::pdf) fn new(glyph: &PositionedGlyph<'_>, transform: Affine, width: f32) -> Self {
        let transform = transform * glyph.transform();
        let [right, down, c, d, x, y] = transform.as_coeffs();
        let mirrored = right < 0.0 && d < 0.0 && down == 0.0 && c == 0.0;
        // Most text is upright, so we can avoid the square root.
        let length = |a: f64, b: f64| if b == 0.0 { a.abs() } else { a.hypot(b) };
        let size = length(d, c) * 1000.0;
        let along = length(right, down) * 1000.0;
        Self {
            origin: Point::new(x, y),
            angle: if down == 0.0 && (right > 0.0 || mirrored) { 0.0 } else { down.atan2(right) as f32 },
            size: size as f32,
            width,
            ratio: (along / size) as f32,
            mirrored,
            transform,
        }
    }

    /// The center of the visible part of a glyph.
    pub(in crate::pdf) fn ink(&self, glyph: &Drawn<'_>) -> Option<Point> {
        let Drawn::Outline(outline) = glyph else { return None };
        let outline = outline.outline();
        (!outline.is_empty()).then(|| self.transform.transform_rect_bbox(outline.bounding_box()).center())
    }
}

/// The advance of a glyph in ems, before scaling.
pub(in crate::pdf) fn width(glyph: &Drawn<'_>) -> f32 {
    let width = match glyph {
        Drawn::Outline(outline) => outline.advance_width(),
        Drawn::Type3(shape) => shape.advance_width(),
    };
    width.unwrap_or(500.0) / 1000.0
}

/// Whether a glyph shows nothing.
pub(super) fn is_blank(glyph: &Drawn<'_>) -> bool {
    match glyph {
        Drawn::Outline(outline) => {
            outline.advance_width().is_some_and(|width| width < 1.0) || outline.outline().is_empty()
        }
        Drawn::Type3(shape) => shape.advance_width().is_some_and(|width| width < 1.0),
    }
}

/// A fallback for a glyph with unknown characters: a space if it shows nothing; its code in Type 1 and Type 3
/// fonts, where codes usually are characters; otherwise the replacement character.
pub(in crate::pdf) fn unknown(glyph: &Drawn<'_>) -> char {
    // TeX's fonts have their ligatures at codes where other fonts have no letters.
    if let (Drawn::Type3(_), code @ 0x0b..=0x0f) = (glyph, glyph.char_code()) {
        return char::from_u32(0xfb00 + code - 0x0b).unwrap_or(char::REPLACEMENT_CHARACTER);
    }
    let by_code = match glyph {
        Drawn::Outline(outline) if outline.outline().is_empty() => return ' ',
        Drawn::Outline(outline) => outline.font_data().is_none(),
        Drawn::Type3(_) => true,
    };
    let code = u8::try_from(glyph.char_code()).ok().filter(|code| matches!(code, 0x21..=0x7e | 0xa1..=0xff));
    code.filter(|_| by_code).map_or(char::REPLACEMENT_CHARACTER, char::from)
}
