//! Removes copies of text that is printed more than once to look bold, outlined or shadowed.
//!
//! Glyphs are grouped into strokes that advance along a baseline. Only overlapping strokes are compared, and
//! hardly any page has them. A glyph is a copy if the same character was drawn next to it. Farther away, in a
//! shadow, several must match.

use super::glyphs::{Glyph, Glyphs};
use std::ops::Range;

/// Maximum distance of a copy, in ems: of a single glyph, and of a word that is shifted as a whole.
const NEAR: f32 = 0.13;
const SHADOW: f32 = 0.36;
/// Minimum number of glyphs in a shadow.
const FEWEST_IN_SHADOW: usize = 3;
/// Maximum number of pairs that are compared per page.
const MOST_PAIRS: usize = 4_000_000;

/// Consecutive glyphs that advance along a baseline.
struct Stroke {
    glyphs: Range<usize>,
    frame: u16,
    start: f32,
    end: f32,
    v: f32,
    size: f32,
}

/// A glyph that may be a copy.
struct Copied {
    index: usize,
    /// Whether the same run has printed the original.
    is_of_own_run: bool,
}

/// Removes the copies.
pub(super) fn leave_out(glyphs: &mut Glyphs) {
    let mut strokes = strokes(&glyphs.list);
    strokes.sort_by(|a, b| (a.frame, a.v).partial_cmp(&(b.frame, b.v)).unwrap_or(std::cmp::Ordering::Equal));
    let mut copies: Vec<Copied> = Vec::new();
    let mut left = MOST_PAIRS;
    for (index, stroke) in strokes.iter().enumerate() {
        let near = strokes[index + 1..]
            .iter()
            .take_while(|other| other.frame == stroke.frame && other.v - stroke.v <= SHADOW * stroke.size);
        for other in near {
            left = left.saturating_sub(1);
            if left == 0 {
                break;
            }
            if stroke.is_over(other) {
                let (first, second) =
                    if stroke.glyphs.start < other.glyphs.start { (stroke, other) } else { (other, stroke) };
                find(glyphs, first, second, &mut left, &mut copies);
            }
        }
    }
    if copies.is_empty() {
        return;
    }
    let copies = of_whole_runs(&glyphs.list, copies);
    let (mut index, mut copies) = (0, copies.into_iter().peekable());
    glyphs.list.retain(|_| {
        let mut is_copy = false;
        while copies.next_if_eq(&index).is_some() {
            is_copy = true;
        }
        index += 1;
        !is_copy
    });
}

/// The indexes of the copies, in order. Letters that merely overlap others of their kind are not copies: all of a
/// run must be, unless it prints each of its own letters twice.
fn of_whole_runs(list: &[Glyph], mut copies: Vec<Copied>) -> Vec<usize> {
    copies.sort_unstable_by_key(|copy| (copy.index, copy.is_of_own_run));
    copies.dedup_by_key(|copy| copy.index);
    let mut whole = Vec::with_capacity(copies.len());
    for of_run in copies.chunk_by(|a, b| list[a.index].run == list[b.index].run) {
        let (first, run) = (of_run[0].index, list[of_run[0].index].run);
        let is_of_run = |glyph: &&Glyph| glyph.run == run;
        let before = list[..first].iter().rev().take_while(is_of_run);
        let letters =
            before.chain(list[first..].iter().take_while(is_of_run)).filter(|glyph| !glyph.is_space());
        let doubled = of_run.iter().filter(|copy| !list[copy.index].is_space()).count();
        let is_whole = letters.count() <= doubled;
        whole.extend(of_run.iter().filter(|copy| is_whole || copy.is_of_own_run).map(|copy| copy.index));
    }
    whole
}

fn strokes(list: &[Glyph]) -> Vec<Stroke> {
    let mut strokes: Vec<Stroke> = Vec::new();
    for (index, glyph) in list.iter().enumerate() {
        match strokes.last_mut() {
            Some(stroke) if stroke.goes_on(&list[index - 1], glyph) => {
                stroke.end = glyph.end;
                stroke.glyphs.end = index + 1;
            }
            _ => strokes.push(Stroke {
                glyphs: index..index + 1,
                frame: glyph.frame,
                start: glyph.u,
                end: glyph.end,
                v: glyph.v,
                size: glyph.size,
            }),
        }
    }
    strokes
}

impl Stroke {
    fn goes_on(&self, last: &Glyph, glyph: &Glyph) -> bool {
        glyph.frame == self.frame
            && (glyph.v - self.v).abs() < 0.1 * self.size
            && (glyph.size - self.size).abs() <= 0.1 * self.size
            && glyph.u > last.u + 0.5 * NEAR * self.size
            && glyph.u < self.end + 3.0 * self.size
    }

    fn is_over(&self, other: &Self) -> bool {
        let common = self.end.min(other.end) - self.start.max(other.start);
        (self.size - other.size).abs() <= 0.1 * self.size
            && (common > 0.08 * self.size || (self.start - other.start).abs() <= NEAR * self.size)
    }
}

/// Collects the glyphs of the second stroke that are copies of glyphs of the first one.
fn find(glyphs: &Glyphs, first: &Stroke, second: &Stroke, left: &mut usize, copies: &mut Vec<Copied>) {
    let of = |stroke: &Stroke| glyphs.list[stroke.glyphs.clone()].iter();
    let size = first.size;
    let mut from = first.glyphs.start;
    let mut shadow: Vec<Copied> = Vec::new();
    for (index, glyph) in second.glyphs.clone().zip(of(second)) {
        while from < first.glyphs.end && glyphs.list[from].u < glyph.u - SHADOW * size {
            from += 1;
        }
        let around =
            glyphs.list[from..first.glyphs.end].iter().take_while(|other| other.u <= glyph.u + SHADOW * size);
        let mut nearest: Option<(f32, bool)> = None;
        for other in around {
            *left = left.saturating_sub(1);
            if glyphs.text(other) == glyphs.text(glyph) {
                let distance = (other.u - glyph.u).abs().max((other.v - glyph.v).abs()) / size;
                if nearest.is_none_or(|(nearest, _)| distance < nearest) {
                    nearest = Some((distance, other.run == glyph.run));
                }
            }
        }
        match nearest {
            // Narrow letters may follow each other as closely.
            Some((distance, is_of_own_run))
                if distance <= NEAR.min(0.6 * (glyph.end - glyph.u).abs() / size + 0.01) =>
            {
                copies.push(Copied { index, is_of_own_run });
            }
            Some((distance, false)) if distance <= SHADOW => {
                shadow.push(Copied { index, is_of_own_run: false });
            }
            _ => {}
        }
        if *left == 0 {
            return;
        }
    }
    let letters = shadow.iter().filter(|copy| !glyphs.list[copy.index].is_space()).count();
    if letters >= FEWEST_IN_SHADOW {
        copies.extend(shadow);
    }
}
