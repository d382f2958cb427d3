//! From glyphs to segments: pieces of lines without a gap that could part columns or cells.
//!
//! Glyphs are taken in the order in which the page draws them; a segment goes on as long as the next glyph
//! stands where the text would go on. Spaces come from the file's own space characters and from gaps
//! ([`super::spacing`]).

use super::bidi::{self, Direction};
use super::glyphs::{Glyph, Glyphs};
use super::{accents, spacing};
use std::borrow::Cow;

/// A gap of so many ems parts segments.
const CELL_GAP: f32 = 1.5;

/// A piece of a line, in its direction's frame.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) frame: u16,
    /// From where to where it goes.
    pub(super) start: f32,
    pub(super) end: f32,
    /// Baseline and size of its largest glyphs.
    pub(super) v: f32,
    pub(super) size: f32,
    pub(super) text: String,
    pub(super) right_to_left: bool,
}

/// The segments of a page, in the order in which they are drawn.
pub(super) fn segments(glyphs: &Glyphs) -> Vec<Segment> {
    let mut pieces: Vec<Open> = Vec::new();
    for glyph in &glyphs.list {
        match pieces.last_mut() {
            Some(open) if open.continues(glyph, glyphs) => open.add(*glyph, glyphs),
            // A space that stands alone is no segment.
            _ if glyph.is_space => {}
            _ => pieces.push(Open::new(*glyph, glyphs)),
        }
    }
    let gap = spacing::word_gap(pieces.iter().map(|piece| piece.items.as_slice()));
    pieces.into_iter().filter_map(|piece| piece.close(glyphs, gap)).collect()
}

/// A segment that may go on.
struct Open {
    items: Vec<Glyph>,
    v: f32,
    size: f32,
    start: f32,
    /// End of the last glyph, and of the last that can be seen.
    end: f32,
    seen_end: f32,
    right_to_left: bool,
}

impl Open {
    fn new(glyph: Glyph, glyphs: &Glyphs) -> Self {
        Self {
            v: glyph.v,
            size: glyph.size,
            start: glyph.u,
            end: glyph.end,
            seen_end: glyph.end,
            right_to_left: bidi::is_right_to_left(glyphs.text(&glyph)),
            items: vec![glyph],
        }
    }

    fn continues(&self, glyph: &Glyph, glyphs: &Glyphs) -> bool {
        let Some(last) = self.items.last() else { return false };
        let size = self.size.max(glyph.size);
        // Sub- and superscripts stand off the baseline, letters of one size do not.
        let one_size = self.size.min(glyph.size) > 0.85 * size;
        let off = (glyph.v - self.v).abs().min((glyph.v - last.v).abs() * 2.0);
        if glyph.frame != last.frame || off > size * if one_size { 0.3 } else { 0.6 } {
            return false;
        }
        let ahead = glyph.u - self.end;
        if (-0.6 * size..=CELL_GAP * size).contains(&ahead) {
            return glyph.is_space || glyph.u - self.seen_end <= CELL_GAP * size;
        }
        let right_to_left = self.right_to_left || bidi::is_right_to_left(glyphs.text(glyph));
        let behind = self.start - glyph.end;
        right_to_left && (-0.3 * size..=CELL_GAP * size).contains(&behind)
    }

    fn add(&mut self, glyph: Glyph, glyphs: &Glyphs) {
        self.right_to_left |= bidi::is_right_to_left(glyphs.text(&glyph));
        if !glyph.is_space {
            if glyph.size > 1.1 * self.size {
                (self.size, self.v) = (glyph.size, glyph.v);
            }
            self.start = self.start.min(glyph.u);
            self.seen_end = self.seen_end.max(glyph.end);
        }
        self.end = if glyph.end < self.end - self.size { self.end } else { glyph.end };
        self.items.push(glyph);
    }

    fn close(mut self, glyphs: &Glyphs, gap: f32) -> Option<Segment> {
        let frame = self.items.first()?.frame;
        if self.right_to_left {
            self.items.sort_by(|a, b| a.u.total_cmp(&b.u));
        }
        let words = words(&self.items, glyphs, spacing::of_segment(&self.items, gap));
        let text = if self.right_to_left { read(&words) } else { words.concat() };
        let text = unhyphenate_softly(text.trim());
        (!text.is_empty()).then_some(Segment {
            frame,
            start: self.start,
            end: self.seen_end,
            v: self.v,
            size: self.size,
            text,
            right_to_left: self.right_to_left,
        })
    }
}

/// The characters of a segment's glyphs, with a space wherever words part.
fn words<'g>(items: &[Glyph], glyphs: &'g Glyphs, gap: f32) -> Vec<Cow<'g, str>> {
    let mut words: Vec<Cow<'g, str>> = Vec::with_capacity(items.len() + items.len() / 4);
    let mut last: Option<&Glyph> = None;
    let mut space = false;
    for glyph in items {
        if glyph.is_space {
            space = true;
            continue;
        }
        if let Some(last) = last {
            let distance = spacing::between(last, glyph);
            if is_twin(last, glyph, glyphs) {
                continue;
            }
            if let Some(accented) = accents::compose(last, glyph, glyphs) {
                words.pop();
                words.push(Cow::Owned(accented));
                continue;
            }
            if (space && distance > -0.15) || distance > gap {
                words.push(Cow::Borrowed(" "));
            }
        }
        words.push(Cow::Borrowed(glyphs.text(glyph)));
        last = Some(glyph);
        space = false;
    }
    words
}

/// The same letter again at the same place: bold type by double print.
fn is_twin(last: &Glyph, glyph: &Glyph, glyphs: &Glyphs) -> bool {
    let size = last.size;
    (glyph.u - last.u).abs() < 0.1 * size
        && (glyph.v - last.v).abs() < 0.1 * size
        && last.end - last.u > 0.15 * size
        && glyphs.text(glyph) == glyphs.text(last)
}

/// A line that is seen from left to right, in reading order.
fn read(words: &[Cow<'_, str>]) -> String {
    let directions: Vec<Direction> = words.iter().map(|word| bidi::direction(word)).collect();
    bidi::logical(&directions).into_iter().map(|index| &*words[index]).collect()
}

/// A soft hyphen that is drawn is a hyphen.
fn unhyphenate_softly(text: &str) -> String {
    text.replace('\u{ad}', "-")
}
