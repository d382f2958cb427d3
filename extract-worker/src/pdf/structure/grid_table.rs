//! Detects tables with rules around their cells.
//!
//! Rules that touch each other form a grid. If there is no rule between two positions of the grid, they are one cell, which
//! spans both. A grid is a table if it has at least two rows and two columns, and words in enough of its cells. A frame
//! around prose, a chart, or the lines of a form do not qualify. This is the approach of Nurminen's thesis (2013), which
//! most open source readers follow.

use super::blocks::{Cell, Evidence, Place, Table};
use super::columns::Columns;
use super::pieces::{self, Piece, Source};
use super::regions::Region;
use super::rules::{Bar, Rules};

/// Rules that end this close to another one touch it, in points.
const TOUCH: f32 = 3.5;
/// Maximum number of positions in a grid. A larger grid is a drawing.
const MOST_PLACES: usize = 20_000;
/// Maximum number of cells of a box without a table.
const MOST_CELLS: usize = 12;
/// A side of a cell exists if rules cover this share of it.
const COVERED: f32 = 0.6;
/// Minimum height of rows and width of columns, in points.
const NARROWEST: f32 = 5.0;

/// Finds tables and boxes. The segments of tables are marked as taken.
pub(super) fn find(
    rules: &Rules,
    source: &Source<'_>,
    free: &mut [bool],
    main: &[usize],
) -> (Vec<Table>, Vec<Region>) {
    let (mut tables, mut regions) = (Vec::new(), Vec::new());
    for (horizontal, vertical) in components(rules) {
        let Some(mut grid) = Grid::new(horizontal, vertical) else { continue };
        let inside: Vec<usize> =
            main.iter().copied().filter(|i| free[*i] && grid.holds(source, *i)).collect();
        grid.refine(source, &inside);
        if let Some(table) = grid.table(source, &inside) {
            for index in &inside {
                free[*index] = false;
            }
            tables.push(table);
        } else {
            regions.extend(grid.region(source, &inside));
        }
    }
    (tables, regions)
}

/// Sets of rules that touch each other.
fn components(rules: &Rules) -> Vec<(Vec<Bar>, Vec<Bar>)> {
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
struct Grid {
    /// The borders of columns and rows.
    lefts: Vec<f32>,
    tops: Vec<f32>,
    horizontal: Vec<Bar>,
    vertical: Vec<Bar>,
}

impl Grid {
    fn new(horizontal: Vec<Bar>, vertical: Vec<Bar>) -> Option<Self> {
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

    fn place(&self) -> Place {
        let end = |levels: &[f32]| levels.last().copied().unwrap_or_default();
        Place { left: self.lefts[0], top: self.tops[0], right: end(&self.lefts), bottom: end(&self.tops) }
    }

    fn columns(&self) -> usize {
        self.lefts.len() - 1
    }

    fn rows(&self) -> usize {
        self.tops.len() - 1
    }

    /// Whether a segment is inside the grid.
    fn holds(&self, source: &Source<'_>, index: usize) -> bool {
        let place = pieces::place(source.segment(index));
        let middle = f32::midpoint(place.left, place.right);
        self.place().contains(middle, f32::midpoint(place.top, place.bottom))
    }

    /// Adds the borders of columns of numbers that no rules separate.
    fn refine(&mut self, source: &Source<'_>, inside: &[usize]) {
        if self.columns() < 2 || self.rows() < 2 {
            return;
        }
        let mut by_column: Vec<Vec<Piece>> = vec![Vec::new(); self.columns()];
        for index in inside {
            let mut cuts = [&self.lefts[..], &source.wide_gaps(*index)].concat();
            cuts.sort_by(f32::total_cmp);
            for piece in source.cut(*index, &cuts) {
                by_column[level_of(&self.lefts, piece.middle())].push(piece);
            }
        }
        let mut borders = Vec::new();
        for pieces in by_column {
            let numbers = pieces.iter().filter(|piece| is_numeric(&piece.text)).count();
            if numbers * 10 < pieces.len() * 6 {
                continue;
            }
            let rows = pieces::rows(pieces);
            let columns = Columns::of(&rows, false);
            let full = rows.iter().filter(|row| row.len() == columns.count()).count();
            if full * 2 > rows.len() {
                borders.extend(columns.gutters.iter().map(|(from, to)| f32::midpoint(*from, *to)));
            }
        }
        self.lefts.extend(borders);
        self.lefts.sort_by(f32::total_cmp);
    }

    /// The grid as a box, if it has few cells and no words cross its sides.
    fn region(&self, source: &Source<'_>, inside: &[usize]) -> Option<Region> {
        let place = self.place();
        if inside.is_empty() || self.rows() * self.columns() > MOST_CELLS {
            return None;
        }
        let mut cells = vec![Vec::new(); self.rows() * self.columns()];
        for index in inside {
            let words = pieces::place(source.segment(*index));
            if words.left < place.left - TOUCH || words.right > place.right + TOUCH {
                return None;
            }
            let row = level_of(&self.tops, f32::midpoint(words.top, words.bottom));
            let column = level_of(&self.lefts, f32::midpoint(words.left, words.right));
            cells[row * self.columns() + column].push(*index);
        }
        cells.retain(|cell| !cell.is_empty());
        Some(Region { place, cells })
    }

    fn table(&self, source: &Source<'_>, inside: &[usize]) -> Option<Table> {
        if self.rows() < 2 || self.columns() < 2 {
            return None;
        }
        let cells = self.parted(self.cells(), source, inside);
        let mut words: Vec<Vec<Piece>> = vec![Vec::new(); cells.len()];
        let mut owner = vec![0; self.rows() * self.columns()];
        for (index, cell) in cells.iter().enumerate() {
            for row in cell.row..cell.row + cell.rows {
                for column in cell.column..cell.column + cell.columns {
                    owner[row * self.columns() + column] = index;
                }
            }
        }
        for index in inside {
            let v = source.segment(*index).v - 0.3 * source.segment(*index).size;
            let row = level_of(&self.tops, v);
            let borders: Vec<f32> = (1..self.columns())
                .filter(|column| {
                    owner[row * self.columns() + column] != owner[row * self.columns() + column - 1]
                })
                .map(|column| self.lefts[column])
                .collect();
            for piece in source.cut(*index, &borders) {
                let column = level_of(&self.lefts, piece.middle());
                words[owner[row * self.columns() + column]].push(piece);
            }
        }
        self.checked(cells, words)
    }

    /// Splits cells without rules between them whose words are aligned with the columns below, as in a header without rules.
    fn parted(&self, cells: Vec<Cell>, source: &Source<'_>, inside: &[usize]) -> Vec<Cell> {
        let mut by_row: Vec<Vec<Piece>> = vec![Vec::new(); self.rows()];
        for piece in inside.iter().flat_map(|index| source.parts(*index)) {
            let place = piece.place();
            by_row[level_of(&self.tops, f32::midpoint(place.top, place.bottom))].push(piece);
        }
        let mut parted = Vec::with_capacity(cells.len());
        for mut cell in cells {
            if cell.rows > 1 {
                parted.push(cell);
                continue;
            }
            let mut column = cell.column + 1;
            while column < cell.column + cell.columns {
                let at = self.lefts[column];
                let before = self.lefts[cell.column];
                let (mut left, mut right, mut across) = (false, false, false);
                for segment in &by_row[cell.row] {
                    let is_inside = (cell.place.left..=cell.place.right).contains(&(segment.start + 0.1));
                    left |= is_inside && segment.start >= before - TOUCH && segment.end <= at + TOUCH;
                    right |= is_inside && segment.start >= at - TOUCH;
                    across |= is_inside && segment.start < at - TOUCH && segment.end > at + TOUCH;
                }
                if left && right && !across {
                    let columns = column - cell.column;
                    let rest = cell.columns - columns;
                    let place = Place { right: at, ..cell.place };
                    parted.push(Cell { columns, place, text: String::new(), ..cell });
                    cell = Cell { column, columns: rest, place: Place { left: at, ..cell.place }, ..cell };
                }
                column += 1;
            }
            parted.push(cell);
        }
        parted
    }

    /// Builds the table if the grid is one.
    fn checked(&self, cells: Vec<Cell>, words: Vec<Vec<Piece>>) -> Option<Table> {
        let filled = words.iter().filter(|pieces| !pieces.is_empty()).count();
        let letters: usize = words.iter().flatten().map(|piece| piece.text.chars().count()).sum();
        let filled_rows =
            distinct(cells.iter().zip(&words).filter(|(_, w)| !w.is_empty()).map(|(c, _)| c.row));
        let filled_columns =
            distinct(cells.iter().zip(&words).filter(|(_, w)| !w.is_empty()).map(|(c, _)| c.column));
        // The boxes of a diagram touch each other in no order.
        let spanning = cells.iter().filter(|cell| cell.rows > 1 || cell.columns > 1).count();
        // A chart has many lines and few words. The frame of a page contains all its prose in one cell.
        let is_table = cells.len() >= 4
            && filled >= 3
            && filled_rows >= 2
            && filled_columns >= 2
            && filled * 4 >= cells.len()
            && letters >= 6;
        let longest = words.iter().map(|w| w.iter().map(|p| p.text.chars().count()).sum()).max().unwrap_or(0);
        let is_frame = longest > 400 && longest * 10 > letters * 8;
        if !is_table || is_frame || spanning * 2 >= cells.len() {
            return None;
        }
        let share = filled as f32 / cells.len() as f32;
        let (cells, rows) = self.split(cells, words);
        Some(Table {
            evidence: Evidence::Grid,
            confidence: (0.75 + 0.25 * share).min(1.0),
            rows,
            columns: self.columns(),
            heads: 1,
            cells,
            place: self.place(),
        })
    }

    /// Splits rows of the grid that contain several rows of words, because only some rules are drawn. Returns the cells and
    /// the number of rows.
    fn split(&self, cells: Vec<Cell>, words: Vec<Vec<Piece>>) -> (Vec<Cell>, usize) {
        let mut by_row: Vec<Vec<(Cell, Vec<Vec<Piece>>)>> = (0..self.rows()).map(|_| Vec::new()).collect();
        for (cell, words) in cells.into_iter().zip(words) {
            by_row[cell.row].push((cell, pieces::rows(words)));
        }
        let plain: Vec<bool> = (0..self.rows())
            .map(|row| {
                by_row[..=row].iter().flatten().all(|(cell, _)| cell.row + cell.rows <= row || cell.rows == 1)
            })
            .collect();
        let (mut out, mut extra) = (Vec::new(), 0);
        for (row, cells) in by_row.into_iter().enumerate() {
            let lines = if plain[row] { common_lines(&cells) } else { None };
            for (mut cell, words) in cells {
                cell.row += extra;
                let Some(lines) = &lines else {
                    cell.text = pieces::text(words.into_iter().flatten().collect());
                    out.push(cell);
                    continue;
                };
                let mut words = words.into_iter().peekable();
                for number in 0..lines.len() {
                    // A line that is on none of the baselines continues the one above it.
                    let is_here = |line: &Vec<Piece>| {
                        lines.get(number + 1).is_none_or(|next| line[0].v < next - 0.5 * line[0].size)
                    };
                    let here = std::iter::from_fn(|| words.next_if(is_here)).flatten().collect();
                    out.push(Cell { row: cell.row + number, text: pieces::text(here), ..cell.clone() });
                }
            }
            extra += lines.map_or(0, |lines| lines.len() - 1);
        }
        out.sort_by_key(|cell| (cell.row, cell.column));
        (out, self.rows() + extra)
    }

    /// The cells of the grid, without words.
    fn cells(&self) -> Vec<Cell> {
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

/// The baselines that the cells of a row share, if they are separate rows: most cells have a number on each.
fn common_lines(cells: &[(Cell, Vec<Vec<Piece>>)]) -> Option<Vec<f32>> {
    let filled = || cells.iter().map(|(_, lines)| lines).filter(|lines| !lines.is_empty());
    let alike = |many: usize| filled().filter(|lines| lines.len() == many).count();
    let many = filled().map(Vec::len).filter(|many| *many >= 2).max_by_key(|many| alike(*many))?;
    let of_many = || filled().filter(|lines| lines.len() == many);
    if alike(many) < 2 || alike(many) * 2 < filled().count() {
        return None;
    }
    let is_number = |line: &&Vec<Piece>| line.iter().all(|piece| is_numeric(&piece.text));
    let numbers = of_many().flatten().filter(is_number).count();
    if numbers * 10 < alike(many) * many * 6 {
        return None;
    }
    let baselines: Vec<f32> = of_many().next()?.iter().map(|line| line[0].v).collect();
    let stands = |line: &Vec<Piece>| baselines.iter().any(|v| (line[0].v - v).abs() < 0.5 * line[0].size);
    of_many().flatten().all(stands).then_some(baselines)
}

fn is_numeric(text: &str) -> bool {
    let (digits, all) = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .fold((0, 0), |(digits, all), c| (digits + usize::from(c.is_ascii_digit()), all + 1));
    digits * 2 >= all || text.trim().chars().all(|c| "-–—./".contains(c))
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
fn level_of(levels: &[f32], at: f32) -> usize {
    levels.partition_point(|level| *level <= at).clamp(1, levels.len() - 1) - 1
}

fn distinct(numbers: impl Iterator<Item = usize>) -> usize {
    let mut numbers: Vec<usize> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len()
}
