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
        if !self.right_to_left && !bidi::is_right_to_left(glyphs.text(glyph)) {
            return false;
        }
        // The text goes on to the left, or a number or a Latin word within it to the right.
        let behind = (-0.3 * size..=CELL_GAP * size).contains(&(self.start - glyph.end));
        behind || (-0.6 * size..=CELL_GAP * size).contains(&(glyph.u - last.end))
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
        let text = if self.right_to_left {
            self.items.sort_by(|a, b| a.u.total_cmp(&b.u));
            read(&self.items, glyphs, gap)
        } else {
            pieces(&self.items, glyphs, gap).into_iter().map(|piece| piece.text).collect()
        };
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

/// The characters of a glyph, or the space between two words.
struct Piece<'g> {
    text: Cow<'g, str>,
    middle: f32,
}

impl Piece<'_> {
    fn is_number(&self) -> bool {
        self.text.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// Whether one glyph is a superscript to the next: the number of a footnote, before its text.
fn is_raised(glyph: &Glyph, next: &Glyph) -> bool {
    glyph.size < 0.85 * next.size && next.v - glyph.v > 0.15 * next.size
}

/// The characters of a segment's glyphs, with a space wherever words part.
fn pieces<'g>(items: &[Glyph], glyphs: &'g Glyphs, gap: f32) -> Vec<Piece<'g>> {
    let gap = spacing::of_segment(items, gap);
    let mut pieces: Vec<Piece<'g>> = Vec::with_capacity(items.len() + items.len() / 4);
    let mut last: Option<&Glyph> = None;
    let mut space = false;
    for glyph in items {
        if glyph.is_space {
            space = true;
            continue;
        }
        let text = glyphs.text(glyph);
        if let Some(last) = last {
            if is_twin(last, glyph, glyphs) {
                continue;
            }
            if let Some(accented) = accents::compose(last, glyph, glyphs) {
                pieces.pop();
                pieces.push(Piece { text: Cow::Owned(accented), middle: glyph.middle() });
                continue;
            }
            let distance = spacing::between(last, glyph);
            let after_mark = is_raised(last, glyph) && pieces.iter().all(Piece::is_number);
            // A mark belongs to the letter before it, wherever it stands.
            if ((space && distance > -0.15) || distance > gap || after_mark) && !bidi::is_mark(text) {
                pieces.push(Piece { text: Cow::Borrowed(" "), middle: f32::NAN });
            }
        }
        pieces.push(Piece { text: Cow::Borrowed(text), middle: glyph.middle() });
        last = Some(glyph);
        space = false;
    }
    pieces
}

/// A line with text from right to left, whose glyphs are given from left to right, in reading order.
fn read(items: &[Glyph], glyphs: &Glyphs, gap: f32) -> String {
    let (marks, letters): (Vec<Glyph>, Vec<Glyph>) =
        items.iter().partition(|glyph| bidi::is_mark(glyphs.text(glyph)));
    let mut pieces = pieces(&letters, glyphs, gap);
    // Vowel marks stand over, under or beside their letter, before or after it.
    for mark in &marks {
        let distance = |piece: &Piece<'_>| (piece.middle - mark.middle()).abs();
        let known = pieces.iter_mut().filter(|piece| piece.middle.is_finite());
        if let Some(letter) = known.min_by(|a, b| distance(a).total_cmp(&distance(b))) {
            letter.text.to_mut().push_str(glyphs.text(mark));
        }
    }
    let directions: Vec<Direction> = pieces.iter().map(|piece| bidi::direction(&piece.text)).collect();
    bidi::logical(&directions).into_iter().map(|index| &*pieces[index].text).collect()
}

/// The same letter again at the same place: bold type by double print.
fn is_twin(last: &Glyph, glyph: &Glyph, glyphs: &Glyphs) -> bool {
    let size = last.size;
    (glyph.u - last.u).abs() < 0.1 * size
        && (glyph.v - last.v).abs() < 0.1 * size
        && last.end - last.u > 0.15 * size
        && glyphs.text(glyph) == glyphs.text(last)
}

/// A soft hyphen that is drawn is a hyphen.
fn unhyphenate_softly(text: &str) -> String {
    text.replace('\u{ad}', "-")
}
