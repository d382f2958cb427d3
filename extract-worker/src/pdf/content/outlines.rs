//! Detects words that are drawn as curves, as in posters from programs that convert letters to outlines.
//!
//! Invariant: bounded, and based only on the positions of shapes, which are never recognized here.

use hayro_interpret::kurbo::{Affine, BezPath, PathEl, Point, Rect};

/// Maximum number of shapes per page. A page of words has a few thousand.
const MOST: usize = 6000;
/// Paths with more segments are skipped: a coast line, for example, and not a line of words.
const MOST_PIECES: usize = 20_000;
/// Possible heights of a letter, in points.
const HEIGHTS: std::ops::Range<f32> = 2.5..250.0;
/// Minimum number of shapes in a row of letters, and of different widths among them. The dots of a chart are
/// all alike.
const FEWEST_IN_ROW: usize = 5;
const FEWEST_WIDTHS: usize = 3;

/// The shapes of a page that may be letters.
#[derive(Debug, Default)]
pub(in crate::pdf) struct Outlines(Vec<Shape>);

#[derive(Debug, Clone, Copy)]
struct Shape {
    left: f32,
    right: f32,
    bottom: f32,
    height: f32,
}

impl Outlines {
    /// Adds the subpaths of a filled path.
    pub(super) fn add(&mut self, path: &BezPath, transform: Affine, page: Rect) {
        let pieces = path.elements();
        if self.0.len() >= MOST || !(5..=MOST_PIECES).contains(&pieces.len()) {
            return;
        }
        let mut open: Option<(Rect, bool, usize)> = None;
        for piece in pieces {
            let (points, is_curve): ([Option<Point>; 3], bool) = match *piece {
                PathEl::MoveTo(point) => {
                    self.close(open.take(), page);
                    ([Some(point), None, None], false)
                }
                PathEl::LineTo(point) => ([Some(point), None, None], false),
                PathEl::QuadTo(a, b) => ([Some(a), Some(b), None], true),
                PathEl::CurveTo(a, b, c) => ([Some(a), Some(b), Some(c)], true),
                PathEl::ClosePath => continue,
            };
            for point in points.into_iter().flatten() {
                let point = transform * point;
                open = Some(match open {
                    Some((bounds, curved, pieces)) => {
                        (bounds.union_pt(point), curved || is_curve, pieces + 1)
                    }
                    None => (Rect::from_points(point, point), is_curve, 1),
                });
            }
        }
        self.close(open, page);
    }

    #[expect(clippy::cast_possible_truncation, reason = "page coordinates")]
    fn close(&mut self, shape: Option<(Rect, bool, usize)>, page: Rect) {
        let Some((bounds, _, points)) = shape else { return };
        let (width, height) = (bounds.width() as f32, bounds.height() as f32);
        let is_letter = points >= 4
            && HEIGHTS.contains(&height)
            && width < 3.0 * height
            && page.contains(bounds.center())
            && self.0.len() < MOST;
        if is_letter {
            let (left, right) = (bounds.x0 as f32, bounds.x1 as f32);
            self.0.push(Shape { left, right, bottom: bounds.y1 as f32, height });
        }
    }

    /// Number of shapes that stand in rows like letters.
    pub(in crate::pdf) fn letters(&self) -> usize {
        if self.0.len() < FEWEST_IN_ROW {
            return 0;
        }
        let mut shapes = self.0.clone();
        shapes.sort_by(|a, b| a.bottom.total_cmp(&b.bottom));
        let mut letters = 0;
        let mut rest = &mut shapes[..];
        while let Some(first) = rest.first().copied() {
            let length =
                rest.iter().take_while(|shape| shape.bottom - first.bottom < 0.2 * first.height).count();
            let (row, below) = std::mem::take(&mut rest).split_at_mut(length.max(1));
            letters += in_row(row);
            rest = below;
        }
        letters
    }
}

/// Number of shapes in a row that are close to others of similar size.
fn in_row(row: &mut [Shape]) -> usize {
    row.sort_by(|a, b| a.left.total_cmp(&b.left));
    let mut letters = 0;
    let mut from = 0;
    for at in 1..=row.len() {
        let goes_on = row.get(at).is_some_and(|next| {
            let last = row[at - 1];
            let (lower, higher) = (last.height.min(next.height), last.height.max(next.height));
            next.left - last.right < 1.2 * higher && higher < 3.0 * lower
        });
        if goes_on {
            continue;
        }
        let word = &row[from..at];
        from = at;
        if word.len() >= FEWEST_IN_ROW {
            #[expect(clippy::cast_possible_truncation, reason = "tenths of a point, of letters")]
            let mut widths: Vec<i32> =
                word.iter().map(|shape| (10.0 * (shape.right - shape.left)).round() as i32).collect();
            widths.sort_unstable();
            widths.dedup();
            letters += if widths.len() >= FEWEST_WIDTHS { word.len() } else { 0 };
        }
    }
    letters
}
