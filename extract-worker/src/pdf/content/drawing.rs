//! The horizontal and vertical rules and the filled boxes of a page.
//!
//! They show where tables are ([`crate::pdf::structure`]). Rules are strokes or thin filled rectangles, which most word
//! processors use instead.
//!
//! Invariant: bounded. If a page has more than [`MOST`] rules or boxes, it is a drawing, and none of them are kept.

use crate::pdf::fonts::styles::color;
use hayro_interpret::kurbo::{Affine, BezPath, PathEl, Point, Rect};
use hayro_interpret::{DrawMode, Paint};

/// Maximum number of rules of a page, and of boxes.
const MOST: usize = 20_000;
/// Maximum number of elements of a path. A longer one is a drawing.
const MOST_ELEMENTS: usize = 4_000;
/// Maximum number of elements of all paths.
const MOST_OF_ALL: usize = 400_000;
/// Maximum thickness of a rule, in points.
const THICKEST: f64 = 3.0;
/// Minimum length of a rule,
const SHORTEST: f64 = 3.0;
/// and how far it may deviate from its direction.
const SLANT: f64 = 0.6;

/// A straight rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::pdf) struct Rule {
    pub(in crate::pdf) from: Point,
    pub(in crate::pdf) to: Point,
}

/// A filled box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::pdf) struct Shade {
    pub(in crate::pdf) place: Rect,
    /// Red, green, blue.
    pub(in crate::pdf) color: u32,
}

/// The rules and boxes of a page.
#[derive(Debug, Default)]
pub(in crate::pdf) struct Drawing {
    pub(in crate::pdf) rules: Vec<Rule>,
    /// Filled boxes that are not white.
    pub(in crate::pdf) boxes: Vec<Shade>,
    elements: usize,
    is_full: bool,
}

impl Drawing {
    pub(in crate::pdf) fn path(
        &mut self,
        path: &BezPath,
        transform: Affine,
        mode: &DrawMode,
        paint: &Paint<'_>,
    ) {
        let elements = path.elements();
        self.elements += elements.len();
        if self.is_full || elements.len() > MOST_ELEMENTS || self.elements > MOST_OF_ALL || is_clear(paint) {
            return;
        }
        match mode {
            DrawMode::Stroke(_) => self.strokes(elements, transform),
            DrawMode::Fill(_) | DrawMode::FillAndStroke(..) => self.fills(elements, transform, paint),
            DrawMode::Invisible => {}
        }
    }

    pub(in crate::pdf) fn rectangle(
        &mut self,
        rectangle: Rect,
        transform: Affine,
        mode: &DrawMode,
        paint: &Paint<'_>,
    ) {
        if self.is_full || is_clear(paint) {
            return;
        }
        let place = transform.transform_rect_bbox(rectangle);
        match mode {
            DrawMode::Stroke(_) => self.frame(place),
            DrawMode::Fill(_) => self.fill(place, paint),
            DrawMode::FillAndStroke(..) => {
                self.fill(place, paint);
                self.frame(place);
            }
            DrawMode::Invisible => {}
        }
    }

    /// The four sides of a stroked rectangle, or one rule if it is thin.
    fn frame(&mut self, place: Rect) {
        if place.width().min(place.height()) <= THICKEST {
            return self.thin(place);
        }
        let [a, b] = [Point::new(place.x0, place.y0), Point::new(place.x1, place.y0)];
        let [c, d] = [Point::new(place.x1, place.y1), Point::new(place.x0, place.y1)];
        for (from, to) in [(a, b), (b, c), (d, c), (a, d)] {
            self.rule(from, to);
        }
    }

    fn fill(&mut self, place: Rect, paint: &Paint<'_>) {
        if place.width().min(place.height()) <= THICKEST {
            self.thin(place);
        } else if place.is_finite() && !is_white(paint) {
            self.boxes.push(Shade { place, color: color(paint) });
            self.is_full |= self.boxes.len() > MOST;
            self.forget_if_full();
        }
    }

    fn thin(&mut self, place: Rect) {
        let middle = place.center();
        if place.width() >= place.height() {
            self.rule(Point::new(place.x0, middle.y), Point::new(place.x1, middle.y));
        } else {
            self.rule(Point::new(middle.x, place.y0), Point::new(middle.x, place.y1));
        }
    }

    fn rule(&mut self, from: Point, to: Point) {
        let (width, height) = ((to.x - from.x).abs(), (to.y - from.y).abs());
        let is_rule = width.min(height) <= SLANT && width.max(height) >= SHORTEST;
        if is_rule && from.is_finite() && to.is_finite() {
            self.rules.push(Rule { from, to });
            self.is_full |= self.rules.len() > MOST;
            self.forget_if_full();
        }
    }

    fn forget_if_full(&mut self) {
        if self.is_full {
            self.rules = Vec::new();
            self.boxes = Vec::new();
        }
    }

    fn strokes(&mut self, elements: &[PathEl], transform: Affine) {
        let (mut start, mut at) = (Point::ZERO, Point::ZERO);
        for element in elements {
            match *element {
                PathEl::MoveTo(to) => {
                    at = transform * to;
                    start = at;
                }
                PathEl::LineTo(to) => {
                    let to = transform * to;
                    self.rule(at, to);
                    at = to;
                }
                PathEl::QuadTo(_, to) | PathEl::CurveTo(_, _, to) => at = transform * to,
                PathEl::ClosePath => {
                    self.rule(at, start);
                    at = start;
                }
            }
        }
    }

    /// The rectangles of a filled path. Tables use no other shapes.
    fn fills(&mut self, elements: &[PathEl], transform: Affine, paint: &Paint<'_>) {
        let mut corners: Vec<Point> = Vec::new();
        let mut is_straight = true;
        for element in elements.iter().chain([&PathEl::MoveTo(Point::ZERO)]) {
            match *element {
                PathEl::MoveTo(to) => {
                    if let Some(place) = rectangle(&corners).filter(|_| is_straight) {
                        self.fill(place, paint);
                    }
                    corners.clear();
                    corners.push(transform * to);
                    is_straight = true;
                }
                PathEl::LineTo(to) => corners.push(transform * to),
                PathEl::QuadTo(..) | PathEl::CurveTo(..) => is_straight = false,
                PathEl::ClosePath => {}
            }
        }
    }
}

/// The rectangle with these corners.
fn rectangle(corners: &[Point]) -> Option<Rect> {
    let corners = match corners {
        [all @ .., last] if all.len() == 4 && last.distance(all[0]) < SLANT => all,
        all => all,
    };
    let [a, b, c, d] = corners else { return None };
    let near = |one: f64, other: f64| (one - other).abs() < SLANT;
    let lies = near(a.y, b.y) && near(b.x, c.x) && near(c.y, d.y) && near(d.x, a.x);
    let stands = near(a.x, b.x) && near(b.y, c.y) && near(c.x, d.x) && near(d.y, a.y);
    (lies || stands).then(|| Rect::from_points(*a, *c))
}

fn is_clear(paint: &Paint<'_>) -> bool {
    matches!(paint, Paint::Color(color) if color.to_rgba().to_rgba8()[3] < 8)
}

fn is_white(paint: &Paint<'_>) -> bool {
    matches!(paint, Paint::Color(color) if color.to_rgba().to_rgba8()[..3].iter().all(|part| *part > 250))
}
