//! The sizes of Type 3 glyphs. Their fonts may have the size in the font matrix, so the nominal size says nothing.

use super::glyphs::Glyph;

/// The Type 3 glyphs of a page, by nominal font size.
#[derive(Default)]
pub(super) struct Type3Sizes(Vec<NominalSize>);

struct NominalSize {
    size: f32,
    /// Total width of the letters.
    widths: f32,
    glyphs: Vec<usize>,
}

impl Type3Sizes {
    /// Records a letter by its index among the page's glyphs.
    pub(super) fn note(&mut self, index: usize, size: f32, advance: f32) {
        let known = self.0.iter().rposition(|known| (known.size - size).abs() <= 0.01 * size);
        let place = known.unwrap_or_else(|| {
            self.0.push(NominalSize { size, widths: 0.0, glyphs: Vec::new() });
            self.0.len() - 1
        });
        let known = &mut self.0[place];
        known.widths += advance;
        known.glyphs.push(index);
    }

    /// Estimates implausible sizes from the average width of all letters with the same nominal size.
    pub(super) fn correct(&self, list: &mut [Glyph]) {
        for NominalSize { size: nominal, widths, glyphs } in &self.0 {
            let size = 2.0 * widths / glyphs.len().max(1) as f32;
            if (0.3..3.0).contains(&(size / nominal)) {
                continue;
            }
            for index in glyphs {
                if let Some(glyph) = list.get_mut(*index) {
                    glyph.size = size;
                }
            }
        }
    }
}
