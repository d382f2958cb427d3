//! The grid that touching rules form: its columns and rows, and its cells.

use super::blocks::{Cell, Place};
use super::pieces::{self, Source};
use super::rules::{Bar, Rules};

/// Rules that end this close to another one touch it, in points.
pub(super) const TOUCH: f32 = 3.5;
/// Maximum number of positions in a grid. A larger grid is a drawing.
const MOST_PLACES: usize = 20_000;
/// A side of a cell exists if rules cover this share of it.
const COVERED: f32 = 0.6;
/// Minimum height of rows and width of columns, in points.
const NARROWEST: f32 = 5.0;

/// Sets of rules that touch each other.
pub(super) fn components(rules: &Rules) -> Vec<(Vec<Bar>, Vec<Bar>)> {
    let across = rules.horizontal.len();
    let mut parents: Vec<usize> = (0..across + rules.vertical.len()).collect();
    for (h, bar) in rules.horizontal.iter().enumerate() {
        for (v, post) in rules.vertical.iter().enumerate() {
            let touches = bar.from - TOUCH <= post.at
                && post.at <= bar.to + TOUCH
                && post.from - TOUCH <= bar.at
                && bar.at <= post.to + TOUCH;
            if touches {
                let (a, b) = (root(&mut parents, h), root(&mut parents, across + v));
                parents[a] = b;
            }
        }
    }
    let mut sets: std::collections::BTreeMap<usize, (Vec<Bar>, Vec<Bar>)> = std::collections::BTreeMap::new();
    for (index, bar) in rules.horizontal.iter().chain(&rules.vertical).enumerate() {
        let set = sets.entry(root(&mut parents, index)).or_default();
        if index < across { &mut set.0 } else { &mut set.1 }.push(*bar);
    }
    let mut sets: Vec<_> = sets.into_values().filter(|(h, v)| h.len() >= 2 && !v.is_empty()).collect();
    sets.sort_by(|a, b| a.0[0].at.total_cmp(&b.0[0].at));
    sets
}

fn root(parents: &mut [usize], mut index: usize) -> usize {
    while parents[index] != index {
        parents[index] = parents[parents[index]];
        index = parents[index];
    }
    index
}

/// The columns and rows between touching rules.
pub(super) struct Grid {
    /// The borders of columns and rows.
    pub(super) lefts: Vec<f32>,
    pub(super) tops: Vec<f32>,
    horizontal: Vec<Bar>,
    vertical: Vec<Bar>,
}

impl Grid {
    pub(super) fn new(horizontal: Vec<Bar>, vertical: Vec<Bar>) -> Option<Self> {
        let mut lefts = levels(&vertical);
        let mut tops = levels(&horizontal);
        // If a table has no rules at its sides, the rules between its rows show how wide it is.
        let ends = |bars: &[Bar], end: fn(&Bar) -> f32, at: f32| {
            bars.iter().filter(|bar| (end(bar) - at).abs() < TOUCH).count() >= 2
        };
        let left = horizontal.iter().map(|bar| bar.from).fold(f32::MAX, f32::min);
        let right = horizontal.iter().map(|bar| bar.to).fold(f32::MIN, f32::max);
        if lefts.first().is_some_and(|first| first - left > NARROWEST)
            && ends(&horizontal, |bar| bar.from, left)
        {
            lefts.insert(0, left);
        }
        if lefts.last().is_some_and(|last| right - last > NARROWEST) && ends(&horizontal, |bar| bar.to, right)
        {
            lefts.push(right);
        }
        let top = vertical.iter().map(|bar| bar.from).fold(f32::MAX, f32::min);
        let bottom = vertical.iter().map(|bar| bar.to).fold(f32::MIN, f32::max);
        if tops.first().is_some_and(|first| first - top > NARROWEST) && ends(&vertical, |bar| bar.from, top) {
            tops.insert(0, top);
        }
        if tops.last().is_some_and(|last| bottom - last > NARROWEST) && ends(&vertical, |bar| bar.to, bottom)
        {
            tops.push(bottom);
        }
        let places = lefts.len().saturating_sub(1) * tops.len().saturating_sub(1);
        (lefts.len() >= 2 && tops.len() >= 2 && places <= MOST_PLACES).then_some(Self {
            lefts,
            tops,
            horizontal,
            vertical,
        })
    }

    pub(super) fn place(&self) -> Place {
        let end = |levels: &[f32]| levels.last().copied().unwrap_or_default();
        Place { left: self.lefts[0], top: self.tops[0], right: end(&self.lefts), bottom: end(&self.tops) }
    }

    pub(super) fn columns(&self) -> usize {
        self.lefts.len() - 1
    }

    pub(super) fn rows(&self) -> usize {
        self.tops.len() - 1
    }

    /// Whether a segment is inside the grid.
    pub(super) fn holds(&self, source: &Source<'_>, index: usize) -> bool {
        let place = pieces::place(source.segment(index));
        let middle = f32::midpoint(place.left, place.right);
        self.place().contains(middle, f32::midpoint(place.top, place.bottom))
    }

    /// The cells of the grid, without words.
    pub(super) fn cells(&self) -> Vec<Cell> {
        let (rows, columns) = (self.rows(), self.columns());
        let right_open: Vec<bool> = (0..rows * columns)
            .map(|at| {
                let (row, column) = (at / columns, at % columns);
                column + 1 < columns
                    && !covered(&self.vertical, self.lefts[column + 1], self.tops[row], self.tops[row + 1])
            })
            .collect();
        let below_open: Vec<bool> = (0..rows * columns)
            .map(|at| {
                let (row, column) = (at / columns, at % columns);
                row + 1 < rows
                    && !covered(
                        &self.horizontal,
                        self.tops[row + 1],
                        self.lefts[column],
                        self.lefts[column + 1],
                    )
            })
            .collect();
        let mut taken = vec![false; rows * columns];
        let mut cells = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                if taken[row * columns + column] {
                    continue;
                }
                let mut wide = 1;
                while column + wide < columns
                    && right_open[row * columns + column + wide - 1]
                    && !taken[row * columns + column + wide]
                {
                    wide += 1;
                }
                let is_free = |row: usize| {
                    (column..column + wide)
                        .all(|c| below_open[(row - 1) * columns + c] && !taken[row * columns + c])
                        && (column..column + wide - 1).all(|c| right_open[row * columns + c])
                };
                let mut high = 1;
                while row + high < rows && is_free(row + high) {
                    high += 1;
                }
                for r in row..row + high {
                    taken[r * columns + column..r * columns + column + wide].fill(true);
                }
                cells.push(Cell {
                    row,
                    column,
                    rows: high,
                    columns: wide,
                    text: String::new(),
                    place: Place {
                        left: self.lefts[column],
                        top: self.tops[row],
                        right: self.lefts[column + wide],
                        bottom: self.tops[row + high],
                    },
                });
            }
        }
        cells
    }
}

/// Whether rules at this level cover the distance between two positions.
fn covered(bars: &[Bar], at: f32, from: f32, to: f32) -> bool {
    let near = bars.iter().filter(|bar| (bar.at - at).abs() <= NARROWEST);
    let length: f32 = near.map(|bar| (bar.to.min(to) - bar.from.max(from)).max(0.0)).sum();
    length >= COVERED * (to - from)
}

/// The positions of rules. Close ones count as one.
fn levels(bars: &[Bar]) -> Vec<f32> {
    let mut places: Vec<f32> = bars.iter().map(|bar| bar.at).collect();
    places.sort_by(f32::total_cmp);
    let mut levels: Vec<f32> = Vec::new();
    for at in places {
        if levels.last().is_none_or(|last| at - last > NARROWEST) {
            levels.push(at);
        }
    }
    levels
}

/// The row or column of a position.
pub(super) fn level_of(levels: &[f32], at: f32) -> usize {
    levels.partition_point(|level| *level <= at).clamp(1, levels.len() - 1) - 1
}
