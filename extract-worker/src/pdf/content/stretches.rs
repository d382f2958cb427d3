//! The horizontal scaling of runs of glyphs.

use super::placed_glyph::PlacedGlyph;

/// Measures the scaling of each run.
pub(super) struct Stretches {
    /// Size and scaling of the last longer run, used for runs that are too short to measure it.
    last: (f32, f32),
}

impl Default for Stretches {
    fn default() -> Self {
        Self { last: (0.0, 1.0) }
    }
}

impl Stretches {
    /// The horizontal scaling of a run, if it cannot be taken from its glyphs.
    ///
    /// When a font is missing, hayro stretches each glyph of its substitute to the width in the missing font,
    /// by a different factor each. The advance is that width, scaled only by the text state. `None` means
    /// that nothing is stretched, and each glyph's own ratio is that of the text state.
    pub(super) fn of(&mut self, placed: &[PlacedGlyph]) -> Option<f32> {
        let ratios = || placed.iter().map(|glyph| glyph.ratio).filter(|ratio| *ratio > 0.0);
        let (least, most) = ratios().fold((f32::MAX, 0.0), |(least, most), r| (r.min(least), r.max(most)));
        let size = placed.first().map_or(0.0, |glyph| glyph.size);
        if most - least > 0.01 * most {
            // Kerning varies around the scaling, so take the median.
            let mut scales: Vec<f32> = placed
                .windows(2)
                .filter(|pair| pair[0].width > 0.05 && pair[0].size > 0.0)
                .map(|pair| {
                    #[expect(clippy::cast_possible_truncation, reason = "page coordinates")]
                    let moved = pair[0].origin.distance(pair[1].origin) as f32;
                    moved / (pair[0].width * pair[0].size)
                })
                .filter(|scale| (0.2..5.0).contains(scale))
                .collect();
            scales.sort_by(f32::total_cmp);
            let middle = scales.get(scales.len() / 2).copied().unwrap_or(1.0);
            let scale = if (middle - 1.0).abs() < 0.08 { 1.0 } else { middle };
            self.last = (size, scale);
            return Some(scale);
        }
        let short = placed.len() < 3 && (most - 1.0).abs() > 0.01;
        (short && (self.last.0 - size).abs() < 0.01).then_some(self.last.1)
    }
}
