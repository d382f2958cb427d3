//! Pieces of text for the cells of tables: segments, split at the borders of columns.

use super::blocks::Place;
use crate::pdf::content::glyphs::Glyphs;
use crate::pdf::layout::lines::{Segment, Segments};
use crate::pdf::layout::words;
use std::ops::Range;

/// Height of letters above and below the baseline, in ems.
pub(super) const ASCENT: f32 = 0.75;
pub(super) const DESCENT: f32 = 0.22;

/// Minimum gap between cells, in ems. Only justified prose has spaces this wide.
const WIDE: f32 = 0.6;

/// How far the border of a column may be inside of a word at its side, in ems.
const CLOSE: f32 = 0.4;

/// Minimum gap between two numbers that are not one with a space for the thousands, in ems.
const NARROW: f32 = 0.33;

/// A part of a segment.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// The segment's index.
    pub(super) segment: usize,
    pub(super) start: f32,
    pub(super) end: f32,
    /// Baseline and size.
    pub(super) v: f32,
    pub(super) size: f32,
    pub(super) text: String,
}

impl Piece {
    /// A whole segment.
    pub(super) fn whole(index: usize, segment: &Segment) -> Self {
        Self {
            segment: index,
            start: segment.start,
            end: segment.end,
            v: segment.v,
            size: segment.size,
            text: segment.text.clone(),
        }
    }

    pub(super) fn middle(&self) -> f32 {
        f32::midpoint(self.start, self.end)
    }

    pub(super) fn place(&self) -> Place {
        let (top, bottom) = (self.v - ASCENT * self.size, self.v + DESCENT * self.size);
        Place { left: self.start, top, right: self.end, bottom }
    }
}

/// The place of a segment.
pub(super) fn place(segment: &Segment) -> Place {
    let (top, bottom) = (segment.v - ASCENT * segment.size, segment.v + DESCENT * segment.size);
    Place { left: segment.start, top, right: segment.end, bottom }
}

/// The segments and glyphs of a page.
#[derive(Clone, Copy)]
pub(super) struct Source<'p> {
    pub(super) glyphs: &'p Glyphs,
    pub(super) segments: &'p Segments,
}

impl Source<'_> {
    pub(super) fn segment(&self, index: usize) -> &Segment {
        &self.segments.list[index]
    }

    /// Splits a segment at sorted positions.
    pub(super) fn cut(&self, index: usize, cuts: &[f32]) -> Vec<Piece> {
        let segment = self.segment(index);
        let is_crossed = |at: &&f32| segment.start + 1.0 < **at && **at < segment.end - 1.0;
        if segment.right_to_left || !cuts.iter().any(|at| is_crossed(&at)) {
            return vec![Piece::whole(index, segment)];
        }
        let items = &self.segments.items[segment.items.clone()];
        let cuts = self.between_words(index, cuts);
        let column = |at: f32| cuts.partition_point(|cut| *cut <= at);
        let mut pieces = Vec::new();
        let mut from = 0;
        for run in items.chunk_by(|a, b| column(a.middle()) == column(b.middle())) {
            let range = segment.items.start + from..segment.items.start + from + run.len();
            from += run.len();
            pieces.extend(self.piece(index, range));
        }
        pieces
    }

    /// Those positions that are between two words of a segment, or close to that.
    fn between_words(&self, index: usize, cuts: &[f32]) -> Vec<f32> {
        let slack = CLOSE * self.segment(index).size;
        let gaps = self.gaps(index);
        let moved = |cut: &f32| {
            let after = gaps.partition_point(|(_, to)| *to <= *cut);
            let around = &gaps[after.saturating_sub(1)..gaps.len().min(after + 2)];
            let near = around.iter().filter(|(from, to)| from - slack < *cut && *cut < to + slack);
            let middle = near.map(|(from, to)| f32::midpoint(*from, *to));
            middle.min_by(|a, b| (a - cut).abs().total_cmp(&(b - cut).abs()))
        };
        let mut moved: Vec<f32> = cuts.iter().filter_map(moved).collect();
        moved.dedup();
        moved
    }

    /// The left and right ends of the gaps between the words of a segment.
    pub(super) fn gaps(&self, index: usize) -> Vec<(f32, f32)> {
        let segment = self.segment(index);
        let items = &self.segments.items[segment.items.clone()];
        let mut gaps = Vec::new();
        let mut end: Option<f32> = None;
        for glyph in items.iter().filter(|glyph| !glyph.is_space()) {
            if let Some(end) = end.filter(|end| glyph.u - end > self.segments.gap.max(0.1) * glyph.size) {
                gaps.push((end, glyph.u));
            }
            end = Some(end.map_or(glyph.end, |end| end.max(glyph.end)));
        }
        gaps
    }

    /// Splits a segment at its wide gaps.
    pub(super) fn parts(&self, index: usize) -> Vec<Piece> {
        self.cut(index, &self.wide_gaps(index))
    }

    /// The middles of gaps that are much wider than the other gaps of a segment, as between the cells of narrow tables.
    pub(super) fn wide_gaps(&self, index: usize) -> Vec<f32> {
        let size = self.segment(index).size;
        let gaps = self.gaps(index);
        let mut widths: Vec<f32> = gaps.iter().map(|(from, to)| to - from).collect();
        widths.sort_by(f32::total_cmp);
        let usual = widths.get(widths.len() / 3).copied().unwrap_or(0.0).min(0.35 * size);
        // Numbers beside each other are cells, however narrow the table is.
        if gaps.len() > 1 && self.segment(index).text.split_whitespace().all(is_number) {
            let apart = gaps.iter().filter(|(from, to)| to - from > NARROW * size);
            return apart.map(|(from, to)| f32::midpoint(*from, *to)).collect();
        }
        let is_wide = |(from, to): &&(f32, f32)| to - from > (WIDE * size).max(2.2 * usual);
        gaps.iter().filter(is_wide).map(|(from, to)| f32::midpoint(*from, *to)).collect()
    }

    fn piece(&self, segment: usize, range: Range<usize>) -> Option<Piece> {
        let items = &self.segments.items[range];
        let text = words::left_to_right(items, self.glyphs, self.segments.gap).trim().to_owned();
        if text.is_empty() {
            return None;
        }
        let shown = || items.iter().filter(|glyph| !glyph.is_space());
        let Segment { v, size, .. } = *self.segment(segment);
        Some(Piece {
            segment,
            start: shown().map(|glyph| glyph.u).fold(f32::MAX, f32::min),
            end: shown().map(|glyph| glyph.end).fold(f32::MIN, f32::max),
            v,
            size,
            text,
        })
    }
}

/// Groups pieces by baseline, from top to bottom, each row from left to right.
pub(super) fn rows(mut pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    pieces.sort_by(|a, b| a.v.total_cmp(&b.v));
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    for piece in pieces {
        match rows.last_mut() {
            Some(row) if is_on(row, &piece) => row.push(piece),
            _ => rows.push(vec![piece]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.start.total_cmp(&b.start));
    }
    rows
}

/// Whether a piece is on the line of others. Subscripts and superscripts are slightly off it.
fn is_on(row: &[Piece], piece: &Piece) -> bool {
    row.iter().any(|other| {
        let (small, large) = (piece.size.min(other.size), piece.size.max(other.size));
        let slack = if small < 0.85 * large { 0.55 * large } else { 0.4 * small };
        (piece.v - other.v).abs() < slack
    })
}

/// The text of a cell: its lines joined, with hyphens resolved.
pub(super) fn text(pieces: Vec<Piece>) -> String {
    let mut text = String::new();
    for row in rows(pieces) {
        for piece in row {
            super::paragraphs::join(&mut text, &piece.text);
        }
    }
    text
}

/// Whether a word is a number, with its sign, unit or decimals.
fn is_number(word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || "+-\u{2212}\u{2013}.,%()$€£±*".contains(c);
    word.chars().all(is_part)
}
