//! How much of a page is covered by images, on a grid: determined from their positions, never from their
//! content.

use hayro_interpret::kurbo::Rect;

/// Number of rows, and of cells per row.
const CELLS: u8 = 16;

/// The covered part of a page. Strips of a scan add up; an image drawn twice counts once.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::pdf) struct Coverage {
    rows: [u16; CELLS as usize],
}

impl Coverage {
    /// Marks the cells whose center is inside the image.
    pub(in crate::pdf) fn add(&mut self, picture: Rect, page: Rect) {
        if !picture.is_finite() || page.width() <= 0.0 || page.height() <= 0.0 {
            return;
        }
        let across = cells((picture.x0 - page.x0) / page.width(), (picture.x1 - page.x0) / page.width());
        let down = cells((picture.y0 - page.y0) / page.height(), (picture.y1 - page.y0) / page.height());
        let columns = across.fold(0, |columns, cell| columns | 1_u16 << cell);
        for row in down {
            self.rows[usize::from(row)] |= columns;
        }
    }

    /// The covered share, 0 to 1.
    pub(in crate::pdf) fn share(&self) -> f32 {
        let covered: u32 = self.rows.iter().map(|row| row.count_ones()).sum();
        covered as f32 / f32::from(u16::from(CELLS) * u16::from(CELLS))
    }
}

/// The cells whose center is between two positions along a side of the page, each from 0 to 1.
fn cells(from: f64, to: f64) -> std::ops::Range<u8> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    let first_after = |place: f64| (place * f64::from(CELLS) - 0.5).ceil().clamp(0.0, f64::from(CELLS)) as u8;
    first_after(from)..first_after(to)
}
