//! Detects tables with rules around their cells.
//!
//! Rules that touch each other form a grid. If there is no rule between two positions of the grid, they are one cell, which
//! spans both. A grid is a table if it has at least two rows and two columns, and words in enough of its cells. A frame
//! around prose, a chart, or the lines of a form do not qualify. This is the approach of Nurminen's thesis (2013), which
//! most open source readers follow.

use super::blocks::{Cell, Evidence, Place, Table};
use super::columns::Columns;
use super::grid::{Grid, TOUCH, components, level_of};
use super::pieces::{self, Piece, Source};
use super::regions::Region;
use super::rules::Rules;

/// Words reach this far beyond the border of their column, in points.
const CLOSE: f32 = 6.0;
/// Maximum number of cells of a box without a table.
const MOST_CELLS: usize = 12;

/// Finds tables and boxes. The segments of tables are marked as taken. `turned` are segments of other directions, and their
/// middles.
pub(super) fn find(
    rules: &Rules,
    source: &Source<'_>,
    free: &mut [bool],
    main: &[usize],
    turned: &[(usize, (f32, f32))],
) -> (Vec<Table>, Vec<Region>) {
    let (mut tables, mut regions) = (Vec::new(), Vec::new());
    for (horizontal, vertical) in components(rules) {
        let Some(mut grid) = Grid::new(horizontal, vertical) else { continue };
        let inside: Vec<usize> =
            main.iter().copied().filter(|i| free[*i] && grid.holds(source, *i)).collect();
        grid.refine(source, &inside);
        let place = grid.place();
        let turned: Vec<(usize, (f32, f32))> =
            turned.iter().copied().filter(|(index, (u, v))| free[*index] && place.contains(*u, *v)).collect();
        if let Some(table) = grid.table(source, &inside, &turned) {
            for index in inside.iter().chain(turned.iter().map(|(index, _)| index)) {
                free[*index] = false;
            }
            tables.push(table);
        } else {
            regions.extend(grid.region(source, &inside));
        }
    }
    (tables, regions)
}

impl Grid {
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

    fn table(&self, source: &Source<'_>, inside: &[usize], turned: &[(usize, (f32, f32))]) -> Option<Table> {
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
        // Their own frame orders the lines of a cell.
        for (index, (u, v)) in turned {
            let (row, column) = (level_of(&self.tops, *v), level_of(&self.lefts, *u));
            words[owner[row * self.columns() + column]].push(Piece::whole(*index, source.segment(*index)));
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
                let (mut left_end, mut right_start) = (f32::MIN, f32::MAX);
                for piece in &by_row[cell.row] {
                    let is_inside = (before..=cell.place.right).contains(&piece.middle());
                    if is_inside && piece.middle() < at {
                        left_end = left_end.max(piece.end);
                    } else if is_inside {
                        right_start = right_start.min(piece.start);
                    }
                }
                let is_between = left_end < right_start && left_end < at + CLOSE && at < right_start + CLOSE;
                if is_between && left_end > f32::MIN && right_start < f32::MAX {
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
            heads: head_rows(&cells, rows),
            cells,
            place: self.place(),
            head_above: Vec::new(),
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

fn distinct(numbers: impl Iterator<Item = usize>) -> usize {
    let mut numbers: Vec<usize> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len()
}

/// Number of header rows: a cell of the first row that spans others has them in common with its neighbours.
fn head_rows(cells: &[Cell], rows: usize) -> usize {
    let deepest = cells.iter().filter(|cell| cell.row == 0).map(|cell| cell.rows).max().unwrap_or(1);
    if deepest < rows { deepest } else { 1 }
}
