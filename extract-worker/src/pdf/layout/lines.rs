//! From glyphs to segments: parts of lines without a gap that could separate columns or cells.
//!
//! Glyphs are processed in drawing order. A segment continues as long as the next glyph is where the text
//! would continue. Spaces come from the file's space characters and from gaps ([`super::spacing`]).

use super::{spacing, words};
use crate::pdf::content::characters::Kind;
use crate::pdf::content::glyphs::{Glyph, Glyphs};
use std::ops::Range;

/// A gap of this many ems separates segments.
const CELL_GAP: f32 = 1.5;
/// The same where the font size changes: a line number in the margin is not part of the line.
const NOTE_GAP: f32 = 0.8;

/// A part of a line, in the frame of its direction.
#[derive(Debug, Clone)]
pub(in crate::pdf) struct Segment {
    pub(in crate::pdf) frame: u16,
    /// Its start and end.
    pub(in crate::pdf) start: f32,
    pub(in crate::pdf) end: f32,
    /// Baseline and size of its largest glyph.
    pub(in crate::pdf) v: f32,
    pub(in crate::pdf) size: f32,
    pub(in crate::pdf) text: String,
    pub(in crate::pdf) right_to_left: bool,
    /// The range of its glyphs in [`Segments::items`].
    pub(in crate::pdf) items: Range<usize>,
}

/// The segments of a page in drawing order.
#[derive(Debug, Default)]
pub(in crate::pdf) struct Segments {
    pub(in crate::pdf) list: Vec<Segment>,
    /// All glyphs, sorted by segment.
    pub(in crate::pdf) items: Vec<Glyph>,
    /// The gap between words on this page, in ems.
    pub(in crate::pdf) gap: f32,
}

/// The segments of a page.
pub(in crate::pdf) fn segments(glyphs: &Glyphs) -> Segments {
    let mut items: Vec<Glyph> = Vec::with_capacity(glyphs.list.len());
    let mut pieces: Vec<Open> = Vec::new();
    for glyph in &glyphs.list {
        let right_to_left = glyph.kind() == Kind::RightToLeft;
        match (pieces.last_mut(), items.last()) {
            (Some(open), Some(last)) if open.continues(last, glyph, right_to_left) => {
                open.add(glyph, right_to_left);
            }
            // A space on its own is not a segment.
            _ if glyph.is_space() => continue,
            _ => pieces.push(Open::new(glyph, items.len(), right_to_left)),
        }
        items.push(*glyph);
    }
    let gap = spacing::word_gap(pieces.iter().map(|piece| &items[piece.items.clone()]));
    let list = pieces.into_iter().filter_map(|piece| piece.close(&mut items, glyphs, gap)).collect();
    Segments { list, items, gap }
}

/// A segment that may continue.
struct Open {
    /// The range of its glyphs in the list of all glyphs.
    items: Range<usize>,
    v: f32,
    size: f32,
    start: f32,
    /// The end of the last glyph, and of the last visible one.
    end: f32,
    seen_end: f32,
    right_to_left: bool,
}

impl Open {
    fn new(glyph: &Glyph, at: usize, right_to_left: bool) -> Self {
        Self {
            v: glyph.v,
            size: glyph.size,
            start: glyph.u,
            end: glyph.end,
            seen_end: glyph.end,
            right_to_left,
            items: at..at + 1,
        }
    }

    fn continues(&self, last: &Glyph, glyph: &Glyph, right_to_left: bool) -> bool {
        let size = self.size.max(glyph.size);
        // Subscripts and superscripts may be off the baseline; letters of the same size may not.
        let one_size = self.size.min(glyph.size) > 0.85 * size;
        let off = (glyph.v - self.v).abs().min((glyph.v - last.v).abs() * 2.0);
        if glyph.frame != last.frame || off > size * if one_size { 0.3 } else { 0.6 } {
            return false;
        }
        let ahead = glyph.u - self.end;
        let gap = size * if one_size { CELL_GAP } else { NOTE_GAP };
        if (-0.6 * size..=gap).contains(&ahead) {
            return glyph.is_space() || glyph.u - self.seen_end <= gap;
        }
        if !self.right_to_left && !right_to_left {
            return false;
        }
        // The text continues to the left, or a number or Latin word inside it to the right.
        let behind = (-0.3 * size..=CELL_GAP * size).contains(&(self.start - glyph.end));
        behind || (-0.6 * size..=CELL_GAP * size).contains(&(glyph.u - last.end))
    }

    fn add(&mut self, glyph: &Glyph, right_to_left: bool) {
        self.right_to_left |= right_to_left;
        if !glyph.is_space() {
            if glyph.size > 1.1 * self.size {
                (self.size, self.v) = (glyph.size, glyph.v);
            }
            self.start = self.start.min(glyph.u);
            self.seen_end = self.seen_end.max(glyph.end);
        }
        self.end = if glyph.end < self.end - self.size { self.end } else { glyph.end };
        self.items.end += 1;
    }

    fn close(self, items: &mut [Glyph], glyphs: &Glyphs, gap: f32) -> Option<Segment> {
        let items = &mut items[self.items.clone()];
        let frame = items.first()?.frame;
        let text = if self.right_to_left {
            words::right_to_left(items, glyphs, gap)
        } else {
            words::left_to_right(items, glyphs, gap)
        };
        let text = with_hyphens(text.trim());
        (!text.is_empty()).then_some(Segment {
            frame,
            start: self.start,
            end: self.seen_end,
            v: self.v,
            size: self.size,
            text,
            right_to_left: self.right_to_left,
            items: self.items,
        })
    }
}

/// A visible soft hyphen is a hyphen. At the beginning of a word it is invisible: no word begins with a hyphen that may break
/// it.
fn with_hyphens(text: &str) -> String {
    const SOFT: char = '\u{ad}';
    if !text.contains(SOFT) {
        return text.to_owned();
    }
    let mut written = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let starts_word = written.chars().next_back().is_none_or(char::is_whitespace)
            && characters.peek().is_some_and(|next| next.is_alphabetic());
        if character != SOFT {
            written.push(character);
        } else if !starts_word {
            written.push('-');
        }
    }
    written
}
