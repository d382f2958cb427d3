//! The rules of a page, joined. A rule is often drawn cell by cell, twice, or as the border of two boxes.

use super::blocks::Place;
use crate::pdf::content::drawing::{Drawing, Shade};
use crate::pdf::content::frame::Frame;
use hayro_interpret::kurbo::{Point, Rect};

/// Rules this close to each other are one, in points,
const SAME: f32 = 2.0;
/// and so are pieces with such a gap.
const GAP: f32 = 3.0;
/// If there are more rules in one direction, the page is a drawing.
const MOST: usize = 1500;
/// If there are more boxes, the page is a drawing.
const MOST_BOXES: usize = 2000;
/// Minimum size of a cell, in points.
const SMALLEST_BOX: f32 = 6.0;

/// A horizontal or vertical rule: its position, and where it begins and ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bar {
    pub(super) at: f32,
    pub(super) from: f32,
    pub(super) to: f32,
}

impl Bar {
    pub(super) fn length(&self) -> f32 {
        self.to - self.from
    }
}

/// The rules of a page.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) horizontal: Vec<Bar>,
    pub(super) vertical: Vec<Bar>,
}

impl Rules {
    /// Converts drawn rules and boxes to the frame of the text.
    pub(super) fn of(drawn: &Drawing, frame: &Frame, page: &Place) -> Self {
        let (mut horizontal, mut vertical) = (Vec::new(), Vec::new());
        for rule in &drawn.rules {
            let ((u1, v1), (u2, v2)) = (frame.turn(rule.from), frame.turn(rule.to));
            if (v2 - v1).abs() <= (u2 - u1).abs() {
                horizontal.push(Bar { at: f32::midpoint(v1, v2), from: u1.min(u2), to: u1.max(u2) });
            } else {
                vertical.push(Bar { at: f32::midpoint(u1, u2), from: v1.min(v2), to: v1.max(v2) });
            }
        }
        let boxes: Vec<Place> = visible(&drawn.boxes).map(|shade| turned(&shade.place, frame)).collect();
        let is_cell = |place: &&Place| {
            let is_large = place.width() >= SMALLEST_BOX && place.height() >= SMALLEST_BOX;
            is_large && place.width() < 0.97 * page.width() && place.height() < 0.9 * page.height()
        };
        for place in boxes.iter().filter(is_cell) {
            for at in [place.top, place.bottom] {
                horizontal.push(Bar { at, from: place.left, to: place.right });
            }
            for at in [place.left, place.right] {
                vertical.push(Bar { at, from: place.top, to: place.bottom });
            }
        }
        let (horizontal, vertical) = (joined(horizontal), joined(vertical));
        if horizontal.len() > MOST || vertical.len() > MOST {
            return Self::default();
        }
        Self { horizontal, vertical }
    }
}

/// Boxes that are not inside another one of the same colour. Word processors shade a cell and then its paragraphs.
fn visible(boxes: &[Shade]) -> impl Iterator<Item = &Shade> {
    let holds = |outer: &Shade, inner: &Shade| {
        let (o, i) = (outer.place.inflate(0.5, 0.5), inner.place);
        outer.color == inner.color && o.contains(i.origin()) && o.contains(Point::new(i.x1, i.y1))
    };
    let is_hidden = move |index: usize, shade: &Shade| {
        boxes.iter().enumerate().any(|(other, outer)| {
            let is_larger =
                outer.place.area() > shade.place.area() || (outer.place == shade.place && other < index);
            is_larger && holds(outer, shade)
        })
    };
    let few = if boxes.len() <= MOST_BOXES { boxes } else { &[] };
    few.iter().enumerate().filter(move |(index, shade)| !is_hidden(*index, shade)).map(|(_, shade)| shade)
}

fn turned(place: &Rect, frame: &Frame) -> Place {
    let (u1, v1) = frame.turn(Point::new(place.x0, place.y0));
    let (u2, v2) = frame.turn(Point::new(place.x1, place.y1));
    Place { left: u1.min(u2), top: v1.min(v2), right: u1.max(u2), bottom: v1.max(v2) }
}

/// Joins rules that overlap or continue each other.
fn joined(mut bars: Vec<Bar>) -> Vec<Bar> {
    bars.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut whole: Vec<Bar> = Vec::new();
    let mut rest = bars.as_mut_slice();
    while let Some(first) = rest.first().map(|bar| bar.at) {
        let many = rest.iter().take_while(|bar| bar.at - first <= SAME).count();
        let (level, after) = rest.split_at_mut(many);
        level.sort_by(|a, b| a.from.total_cmp(&b.from));
        let start = whole.len();
        for bar in level {
            match whole[start..].last_mut() {
                Some(last) if bar.from <= last.to + GAP => last.to = last.to.max(bar.to),
                _ => whole.push(*bar),
            }
        }
        rest = after;
    }
    whole
}
