//! Lines: consecutive segments on one baseline.

use super::blocks::Place;
use super::pieces::{self, ASCENT, DESCENT, Source};
use super::regions::Regions;
use crate::pdf::fonts::styles::{Face, Faces, Style};
use crate::pdf::layout::lines::Segment;

/// Segments with different looks that are this many ems apart are separate lines.
const FAR: f32 = 4.0;

/// A line of text.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) place: Place,
    /// Its baseline, and the size of most letters.
    pub(super) v: f32,
    pub(super) size: f32,
    pub(super) text: String,
    /// The look of most letters.
    pub(super) look: Look,
    /// Whether all letters have the same look.
    pub(super) is_uniform: bool,
    /// The look of its thinnest letters.
    pub(super) thinnest: Look,
    /// Number of letters and digits.
    pub(super) letters: u32,
    /// The cell of a box that contains it; 0 outside of boxes.
    pub(super) cell: u32,
    /// Whether it has the direction of most of the page's text.
    pub(super) is_upright: bool,
}

/// The look of letters.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Look {
    pub(super) face: u16,
    /// Thickness of strokes in ems; 0 if unknown.
    pub(super) thickness: f32,
    pub(super) is_named_bold: bool,
    pub(super) is_italic: bool,
    pub(super) is_monospace: bool,
    pub(super) color: u32,
}

impl Look {
    fn of(style: Style, faces: &Faces) -> Self {
        let face = faces.get(style.face);
        Self {
            face: style.face,
            thickness: face.and_then(Face::thickness).unwrap_or(0.0),
            is_named_bold: style.is_stroked || face.is_some_and(Face::is_named_bold),
            is_italic: face.is_some_and(|face| face.italic),
            is_monospace: face.is_some_and(Face::is_monospace),
            color: style.color,
        }
    }
}

/// Joins segments in reading order into lines.
pub(super) fn lines(
    ordered: &[usize],
    source: &Source<'_>,
    faces: &Faces,
    regions: &Regions,
    is_upright: bool,
) -> Vec<Line> {
    let goes_on = |a: &usize, b: &usize| {
        if regions.cell(*a) != regions.cell(*b) {
            return false;
        }
        let (a, b) = (source.segment(*a), source.segment(*b));
        let (small, large) = (a.size.min(b.size), a.size.max(b.size));
        let slack = large * if small > 0.85 * large { 0.3 } else { 0.5 };
        let is_ahead = b.start > a.end - 0.6 * large || (a.right_to_left && b.end < a.start + 0.6 * large);
        (a.v - b.v).abs() < slack && is_ahead
    };
    let is_apart = |a: &usize, b: &usize| {
        let (a, b) = (source.segment(*a), source.segment(*b));
        let gap = (b.start - a.end).max(a.start - b.end);
        gap > FAR * a.size.max(b.size) && !looks_alike(a, b, source)
    };
    let rows = ordered.chunk_by(goes_on).flat_map(|row| row.chunk_by(|a, b| !is_apart(a, b)));
    rows.map(|row| Line { cell: regions.cell(row[0]), ..line(row, source, faces, is_upright) }).collect()
}

/// Whether segments have the same size and style.
fn looks_alike(one: &Segment, other: &Segment, source: &Source<'_>) -> bool {
    let style = |segment: &Segment| source.segments.items.get(segment.items.start).map(|glyph| glyph.style);
    (one.size - other.size).abs() < 0.04 * one.size && style(one) == style(other)
}

/// Whether a segment is a large initial and the next one continues its word.
fn is_initial(first: &Segment, next: &Segment) -> bool {
    let is_letter = first.text.chars().count() == 1 && first.text.chars().all(char::is_uppercase);
    is_letter && first.size > 1.8 * next.size && next.text.starts_with(char::is_lowercase)
}

fn line(row: &[usize], source: &Source<'_>, faces: &Faces, is_upright: bool) -> Line {
    let segments = || row.iter().map(|index| source.segment(*index));
    let glyphs = || segments().flat_map(|segment| &source.segments.items[segment.items.clone()]);
    let shown = || glyphs().filter(|glyph| glyph.kind().is_word());
    let mut text = String::new();
    let mut last: Option<&Segment> = None;
    for segment in segments() {
        if last.is_some_and(|last| !is_initial(last, segment)) {
            text.push(' ');
        }
        text.push_str(&segment.text);
        last = Some(segment);
    }
    let place = segments().map(pieces::place).reduce(|all, one| all.around(&one)).unwrap_or_default();
    let size = common(shown().map(|glyph| glyph.size)).unwrap_or_else(|| source.segment(row[0]).size);
    let far = |segment: &Segment| (segment.size - size).abs();
    let main = segments().min_by(|a, b| far(a).total_cmp(&far(b))).map_or(0.0, |segment| segment.v);
    let styles = &source.glyphs.styles;
    let full = || shown().filter(|glyph| glyph.size > 0.8 * size);
    let (mut counts, mut letters): (Vec<(u16, u32)>, u32) = (Vec::new(), 0);
    for glyph in full() {
        letters += 1;
        match counts.iter_mut().find(|(style, _)| *style == glyph.style) {
            Some((_, count)) => *count += 1,
            None => counts.push((glyph.style, 1)),
        }
    }
    let most = counts.iter().max_by_key(|(_, count)| *count).map_or(0, |(style, _)| *style);
    let looks = || counts.iter().map(|(style, _)| Look::of(styles.get(*style), faces));
    let thinnest = looks().min_by(|a, b| weight(a).total_cmp(&weight(b))).unwrap_or_default();
    Line {
        place: Place { top: main - ASCENT * size, bottom: main + DESCENT * size, ..place },
        v: main,
        size,
        text,
        look: Look::of(styles.get(most), faces),
        is_uniform: counts.len() <= 1,
        thinnest,
        letters,
        cell: 0,
        is_upright,
    }
}

fn weight(look: &Look) -> f32 {
    look.thickness + if look.is_named_bold { 1.0 } else { 0.0 }
}

/// The most common size.
fn common(sizes: impl Iterator<Item = f32>) -> Option<f32> {
    let mut counts: Vec<(f32, u32)> = Vec::new();
    for size in sizes {
        match counts.iter_mut().find(|(known, _)| (known - size).abs() < 0.02 * size) {
            Some((_, count)) => *count += 1,
            None => counts.push((size, 1)),
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(size, _)| size)
}
