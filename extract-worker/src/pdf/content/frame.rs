//! The text directions of a page.

use hayro_interpret::kurbo::Point;

/// A text direction, and the rotation that makes it horizontal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::pdf) struct Frame {
    degrees: i16,
    pub(in crate::pdf) vertical: bool,
    cos: f32,
    sin: f32,
}

impl Frame {
    /// The frame for an angle in radians. Text within three degrees of upright counts as upright.
    pub(in crate::pdf) fn new(angle: f32, vertical: bool) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "-180 to 180")]
        let degrees = if vertical { 90 } else { snap(angle.to_degrees().round() as i16) };
        let (sin, cos) = f32::from(degrees).to_radians().sin_cos();
        Self { degrees, vertical, cos, sin }
    }

    /// Whether the text stands as most text does.
    pub(in crate::pdf) fn is_upright(&self) -> bool {
        self.degrees == 0 && !self.vertical
    }

    /// Whether it runs along a side of the page.
    pub(in crate::pdf) fn is_right(&self) -> bool {
        self.degrees % 90 == 0
    }

    /// Transforms a point from the page to the frame.
    #[expect(clippy::cast_possible_truncation, reason = "page coordinates")]
    pub(in crate::pdf) fn turn(&self, point: Point) -> (f32, f32) {
        let (x, y) = (point.x as f32, point.y as f32);
        (x * self.cos + y * self.sin, y * self.cos - x * self.sin)
    }
}

fn snap(degrees: i16) -> i16 {
    let right = (f32::from(degrees) / 90.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "-180, -90, 0, 90 or 180")]
    let right = right as i16 * 90;
    let degrees = if (degrees - right).abs() <= 3 { right } else { degrees };
    if degrees == -180 { 180 } else { degrees }
}
