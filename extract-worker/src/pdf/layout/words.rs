//! The text of a segment: the characters of its glyphs in reading order, with spaces between words.

use super::bidi::{self, Direction};
use super::{accents, letter_spacing, spacing};
use crate::pdf::content::characters::Kind;
use crate::pdf::content::glyphs::{Glyph, Glyphs};

/// The text of glyphs in drawing order.
pub(in crate::pdf) fn left_to_right(items: &[Glyph], glyphs: &Glyphs, gap: f32) -> String {
    Words::new(items, glyphs, gap).text
}

/// The text of a line that is at least partly right-to-left; sorts its glyphs.
pub(in crate::pdf) fn right_to_left(items: &mut [Glyph], glyphs: &Glyphs, gap: f32) -> String {
    items.sort_by(|a, b| a.u.total_cmp(&b.u));
    let is_mark = |glyph: &&Glyph| glyph.kind() == Kind::Mark;
    let letters: Vec<Glyph> = items.iter().filter(|glyph| !is_mark(glyph)).copied().collect();
    let words = Words::new(&letters, glyphs, gap);
    let marks = words.with_marks(items.iter().filter(is_mark));
    let directions: Vec<Direction> = words.pieces().map(bidi::direction).collect();
    let order = bidi::logical(&directions);
    let backwards = order.iter().filter(|read| read.is_right_to_left());
    let brackets = backwards.flat_map(|read| words.piece(read.index).chars());
    let by_looks = bidi::are_by_looks(brackets.filter(|c| bidi::mirrored(*c).is_some()));
    let mut text = String::with_capacity(2 * words.text.len());
    for read in order {
        let piece = words.piece(read.index);
        let bracket = piece.parse().ok().filter(|_| by_looks && read.is_right_to_left());
        match bracket.and_then(bidi::mirrored) {
            Some(partner) => text.push(partner),
            None => text.push_str(piece),
        }
        let first = marks.partition_point(|(letter, _)| *letter < read.index);
        let these = marks[first..].iter().take_while(|(letter, _)| *letter == read.index);
        text.extend(these.map(|(_, mark)| glyphs.text(mark)));
    }
    text
}

/// Text in pieces, one per glyph or space.
struct Words {
    text: String,
    pieces: Vec<Piece>,
}

/// The characters of a glyph, or a space between two words.
struct Piece {
    /// The end of its text, in bytes.
    end: usize,
    /// The center of the glyph; `None` for a space.
    middle: Option<f32>,
}

impl Words {
    fn new(items: &[Glyph], glyphs: &Glyphs, gap: f32) -> Self {
        let apart = letter_spacing::gap(items, glyphs, gap);
        let gap = apart.unwrap_or_else(|| spacing::of_segment(items, gap));
        let mut words = Self {
            text: String::with_capacity(2 * items.len()),
            pieces: Vec::with_capacity(2 * items.len()),
        };
        let mut last: Option<&Glyph> = None;
        let (mut space, mut is_number) = (false, true);
        for glyph in items {
            if glyph.is_space() {
                space = true;
                continue;
            }
            let text = glyphs.text(glyph);
            if let Some(before) = last {
                if let Some(accented) = accents::compose(before, glyph, glyphs) {
                    words.pop();
                    words.push(&accented, Some(glyph.middle()));
                    if glyph.end > before.end {
                        last = Some(glyph);
                    }
                    continue;
                }
                let distance = spacing::between(before, glyph);
                let after_mark = is_number && is_raised(before, glyph);
                // A mark belongs to the letter before it, wherever it is drawn.
                if ((space && apart.is_none() && distance > -0.15) || distance > gap || after_mark)
                    && glyph.kind() != Kind::Mark
                {
                    words.push(" ", None);
                    is_number = false;
                }
            }
            is_number = is_number && text.bytes().all(|byte| byte.is_ascii_digit());
            words.push(text, Some(glyph.middle()));
            last = Some(glyph);
            space = false;
        }
        words
    }

    fn push(&mut self, text: &str, middle: Option<f32>) {
        self.text.push_str(text);
        self.pieces.push(Piece { end: self.text.len(), middle });
    }

    fn pop(&mut self) {
        self.pieces.pop();
        self.text.truncate(self.pieces.last().map_or(0, |piece| piece.end));
    }

    fn piece(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.pieces[before].end);
        &self.text[start..self.pieces[index].end]
    }

    fn pieces(&self) -> impl Iterator<Item = &str> {
        (0..self.pieces.len()).map(|index| self.piece(index))
    }

    /// Each mark with its letter, in the order of the letters. A mark may be above, below or beside its
    /// letter, and be drawn before or after it.
    fn with_marks<'g>(&self, marks: impl Iterator<Item = &'g Glyph>) -> Vec<(usize, &'g Glyph)> {
        let places = self.pieces.iter().enumerate();
        let mut letters: Vec<(f32, usize)> =
            places.filter_map(|(index, piece)| Some((piece.middle?, index))).collect();
        letters.sort_by(|a, b| a.0.total_cmp(&b.0));
        let nearest = |mark: &Glyph| {
            let after = letters.partition_point(|(middle, _)| *middle < mark.middle());
            let around = &letters[after.saturating_sub(1)..letters.len().min(after + 1)];
            let distance = |letter: &(f32, usize)| (letter.0 - mark.middle()).abs();
            let letter = around.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
            letter.map(|(_, index)| *index)
        };
        let mut marked: Vec<_> = marks.filter_map(|mark| Some((nearest(mark)?, mark))).collect();
        marked.sort_by_key(|(letter, _)| *letter);
        marked
    }
}

/// Whether a glyph is a superscript before the next one: the number of a footnote before its text.
fn is_raised(glyph: &Glyph, next: &Glyph) -> bool {
    glyph.size < 0.85 * next.size && next.v - glyph.v > 0.15 * next.size
}
