//! Columns without rules between them: gutters that the rows of a table share.

use super::pieces::{Piece, Source};

/// Minimum width of a gutter, in ems of the words beside it.
const NARROWEST: f32 = 0.55;
/// One in this many rows may cross a gutter: titles that span columns, and notes.
const MOST_ACROSS: usize = 4;
/// Maximum width of a space between words of a title, in ems.
const WORD_SPACE: f32 = 0.45;
/// Maximum number of columns of a table.
const MOST_COLUMNS: usize = 60;

/// The gutters between columns.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// The left and right end of each gutter, in order.
    pub(super) gutters: Vec<(f32, f32)>,
    /// The left and right end of all columns.
    ends: (f32, f32),
}

impl Columns {
    /// Finds the gutters of rows.
    ///
    /// `is_ruled` means that rules above and below show that this is a table. Then its first row alone may show the gutters.
    pub(super) fn of(rows: &[Vec<Piece>], is_ruled: bool) -> Self {
        let mut sizes: Vec<f32> = rows.iter().flatten().map(|piece| piece.size).collect();
        if sizes.is_empty() {
            return Self::default();
        }
        let middle = sizes.len() / 2;
        let size = *sizes.select_nth_unstable_by(middle, f32::total_cmp).1;
        // Counts the pieces at each position along the line. A gutter is where there are few.
        let mut edges: Vec<(f32, i32)> = Vec::new();
        let pieces = || rows.iter().flatten();
        let (left, right) = pieces().fold((f32::MAX, f32::MIN), |(l, r), p| (l.min(p.start), r.max(p.end)));
        for piece in pieces() {
            edges.push((piece.start, 1));
            edges.push((piece.end.max(piece.start), -1));
        }
        edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let most = i32::try_from(rows.len() / MOST_ACROSS).unwrap_or(i32::MAX).min(3);
        let mut best: Vec<(f32, f32, i32)> = Vec::new();
        let (mut open, mut from): (i32, Option<(f32, i32)>) = (0, None);
        for (at, step) in edges {
            if let Some((start, least)) = from
                && at - start >= NARROWEST * size
                && at < right
                && start > left
            {
                best.push((start, at, least));
            }
            open += step;
            from = (open <= most).then_some((at, open));
        }
        // Adjacent stretches are one gutter. It is at the emptiest of them.
        let mut gutters: Vec<(f32, f32, i32)> = Vec::new();
        for stretch in best {
            match gutters.last_mut() {
                Some(last) if stretch.0 - last.1 < 0.01 => {
                    if stretch.2 < last.2 || (stretch.2 == last.2 && stretch.1 - stretch.0 > last.1 - last.0)
                    {
                        *last = stretch;
                    }
                }
                _ => gutters.push(stretch),
            }
        }
        gutters.truncate(MOST_COLUMNS);
        let columns = Self {
            gutters: gutters.into_iter().map(|(from, to, _)| (from, to)).collect(),
            ends: (left, right),
        };
        columns.supported(rows, is_ruled)
    }

    /// Removes gutters that separate nothing: some rows must have words directly on both sides.
    fn supported(mut self, rows: &[Vec<Piece>], is_ruled: bool) -> Self {
        let mut at = 0;
        while at < self.gutters.len() {
            let (from, to) = self.gutters[at];
            let before = at.checked_sub(1).map_or(f32::MIN, |at| self.gutters[at].1);
            let after = self.gutters.get(at + 1).map_or(f32::MAX, |gutter| gutter.0);
            let is_between = |piece: &&Piece, low: f32, high: f32| piece.end > low && piece.start < high;
            let is_parted = |row: &&Vec<Piece>| {
                row.iter().any(|piece| is_between(&piece, before, from) && piece.end <= to)
                    && row.iter().any(|piece| is_between(&piece, to, after) && piece.start >= from)
            };
            let parted = rows.iter().filter(is_parted).count();
            if parted * 4 >= rows.len() || (is_ruled && rows.first().is_some_and(|row| is_parted(&row))) {
                at += 1;
            } else {
                self.gutters.remove(at);
            }
        }
        self
    }

    pub(super) fn count(&self) -> usize {
        self.gutters.len() + 1
    }

    /// The column of a position.
    pub(super) fn column(&self, at: f32) -> usize {
        self.gutters.partition_point(|(from, to)| f32::midpoint(*from, *to) <= at)
    }

    /// The first and last column of a piece. A word that only enters a gutter stays in its column.
    pub(super) fn span(&self, piece: &Piece) -> (usize, usize) {
        let first = self.gutters.partition_point(|(from, _)| *from < piece.start - 0.5);
        let last = self.gutters.partition_point(|(_, to)| *to < piece.end - 0.5);
        if first > last { (self.column(piece.middle()), self.column(piece.middle())) } else { (first, last) }
    }

    /// Splits a piece at each gutter that it crosses, if there is a space between words.
    pub(super) fn cut(&self, source: &Source<'_>, piece: Piece) -> Vec<Piece> {
        let (first, last) = self.span(&piece);
        if first == last {
            return vec![piece];
        }
        let inside = |gap: &(f32, f32)| gap.0 > piece.start && gap.1 < piece.end;
        let gaps: Vec<(f32, f32)> = source.gaps(piece.segment).into_iter().filter(inside).collect();
        let slack = 0.6 * piece.size;
        let mut cuts = Vec::new();
        for (from, to) in &self.gutters[first..last] {
            let meets = |gap: &&(f32, f32)| gap.0 < to + slack && gap.1 > from - slack;
            let width = |gap: &&(f32, f32)| gap.1 - gap.0;
            match gaps.iter().filter(meets).max_by(|a, b| width(a).total_cmp(&width(b))) {
                Some(gap) => cuts.push(f32::midpoint(gap.0, gap.1)),
                // If the words are wider than their columns but as many, each word has its own column.
                None if gaps.len() == last - first => {
                    cuts = gaps.iter().map(|gap| f32::midpoint(gap.0, gap.1)).collect();
                    break;
                }
                None => return vec![piece],
            }
        }
        if self.is_title(&piece, (first, last), &cuts, &gaps) {
            return vec![piece];
        }
        let is_of = |part: &Piece| part.end > piece.start && part.start < piece.end;
        let all: Vec<f32> = [piece.start - 0.1, piece.end + 0.1].into_iter().chain(cuts).collect();
        source.cut(piece.segment, &sorted(all)).into_iter().filter(is_of).collect()
    }

    /// Whether a piece is a title in the middle of the columns that it spans, with only a space between words at the gutter.
    fn is_title(
        &self,
        piece: &Piece,
        (first, last): (usize, usize),
        cuts: &[f32],
        gaps: &[(f32, f32)],
    ) -> bool {
        let left = first.checked_sub(1).map_or(self.ends.0, |at| self.gutters[at].1);
        let right = self.gutters.get(last).map_or(self.ends.1, |gutter| gutter.0);
        let is_cut = |gap: &&(f32, f32)| cuts.contains(&f32::midpoint(gap.0, gap.1));
        let is_space = gaps.iter().filter(is_cut).all(|(from, to)| to - from < WORD_SPACE * piece.size);
        let is_centered = (f32::midpoint(left, right) - piece.middle()).abs() < piece.size;
        let is_inside = piece.start - left > piece.size && right - piece.end > piece.size;
        is_space && is_centered && is_inside
    }
}

fn sorted(mut places: Vec<f32>) -> Vec<f32> {
    places.sort_by(f32::total_cmp);
    places
}
