//! Detects tables from words that are aligned in columns, with few rules or without any.
//!
//! Rows come from baselines, and columns from gutters that the rows share. Prose in columns, lists, tables of contents and
//! formulas look similar. A table must therefore be mostly filled, have short cells, and have either three columns or
//! numbers.

use super::blocks::{Cell, Evidence, Place, Table};
use super::columns::Columns;
use super::lists;
use super::pieces::{self, Piece, Source};

/// Longer cells are prose, in characters.
const LONGEST_CELL: usize = 90;
/// Minimum number of rows of a table without rules.
const FEWEST_ROWS: usize = 3;

/// Rows of words, split into columns.
pub(super) struct Rows {
    rows: Vec<Vec<Piece>>,
    columns: Columns,
}

impl Rows {
    /// Sorts pieces into rows and columns. `None` if there is only one column.
    pub(super) fn new(pieces: Vec<Piece>, source: &Source<'_>, is_ruled: bool) -> Option<Self> {
        let rows = pieces::rows(pieces);
        let columns = Columns::of(&rows, is_ruled);
        if columns.count() < 2 {
            return None;
        }
        let cut = |row: Vec<Piece>| row.into_iter().flat_map(|piece| columns.cut(source, piece)).collect();
        let rows = rows.into_iter().map(cut).collect();
        Some(Self { rows, columns })
    }

    /// Adds the line above as the header row if it can be split at the gutters. Returns its segment.
    fn head(&mut self, source: &Source<'_>, free: &[bool], ordered: &[usize], at: usize) -> Option<usize> {
        let above = *ordered.get(at.checked_sub(1)?)?;
        let first = self.rows.first()?.first()?;
        let segment = source.segment(above);
        let is_close = (0.0..3.0 * segment.size).contains(&(first.v - segment.v));
        if !free[above] || !is_close {
            return None;
        }
        let pieces = self.columns.cut(source, Piece::whole(above, segment));
        let mut filled: Vec<usize> = pieces.iter().map(|piece| self.columns.span(piece).0).collect();
        filled.dedup();
        let is_head = filled.len() == pieces.len() && filled.len() + 1 >= self.columns.count().max(3);
        is_head.then(|| self.rows.insert(0, pieces))?;
        Some(above)
    }
}

/// Finds tables in runs of rows that follow each other in reading order.
pub(super) fn find(source: &Source<'_>, free: &mut [bool], ordered: &[usize]) -> Vec<Table> {
    let mut tables = Vec::new();
    for (at, run) in runs(source, free, ordered) {
        let pieces = run.iter().flat_map(|index| source.parts(*index)).collect();
        let Some(mut rows) = Rows::new(pieces, source, false) else { continue };
        let head = rows.head(source, free, ordered, at);
        let place = rows.rows.iter().flatten().map(Piece::place).reduce(|all, one| all.around(&one));
        if let Some(table) = table(rows, Evidence::Alignment, false, &[], place.unwrap_or_default()) {
            run.into_iter().chain(head).for_each(|index| free[index] = false);
            tables.push(table);
        }
    }
    tables
}

/// Runs of rows with several pieces each, and the index of their first segment in `ordered`.
fn runs(source: &Source<'_>, free: &[bool], ordered: &[usize]) -> Vec<(usize, Vec<usize>)> {
    let mut runs: Vec<(usize, Vec<usize>)> = Vec::new();
    let on_one_row = |a: &usize, b: &usize| {
        let (a, b) = (source.segment(*a), source.segment(*b));
        (a.v - b.v).abs() < 0.4 * a.size.min(b.size) && b.start >= a.end
    };
    let free: Vec<(usize, usize)> =
        ordered.iter().copied().enumerate().filter(|(_, index)| free[*index]).collect();
    let mut last: Option<(f32, f32)> = None;
    for row in free.chunk_by(|a, b| on_one_row(&a.1, &b.1)) {
        let at = row[0].0;
        let row: Vec<usize> = row.iter().map(|(_, index)| *index).collect();
        let (v, size) = (source.segment(row[0]).v, source.segment(row[0]).size);
        let follows = last.is_some_and(|(above, large)| (0.0..3.2 * size.max(large)).contains(&(v - above)));
        let is_row = row.len() >= 2 || source.parts(row[0]).len() >= 3;
        match runs.last_mut() {
            Some((_, run)) if is_row && follows => run.extend(row),
            _ if is_row => runs.push((at, row)),
            _ => {}
        }
        last = is_row.then_some((v, size));
    }
    runs
}

/// Builds the table if the rows are one. `is_ruled` means that rules separate its rows, at `borders`.
pub(super) fn table(
    rows: Rows,
    evidence: Evidence,
    is_ruled: bool,
    borders: &[f32],
    place: Place,
) -> Option<Table> {
    let Rows { rows, columns } = rows;
    let lines = rows.len();
    // The labels of a chart are far apart.
    let band = |v: f32| borders.partition_point(|border| *border < v);
    let is_torn = |pair: &[Vec<Piece>]| {
        let (above, below) = (&pair[0][0], &pair[1][0]);
        below.v - above.v > 4.5 * above.size.max(below.size) && band(above.v) == band(below.v)
    };
    if rows.windows(2).any(is_torn) {
        return None;
    }
    let rows = joined(rows, &columns, borders);
    if !is_table(&rows, &columns, evidence, is_ruled, lines) {
        return None;
    }
    let count = rows.len();
    let mut cells = Vec::new();
    let mut filled = 0;
    for (row, pieces) in rows.into_iter().enumerate() {
        let mut column = 0;
        let mut pieces = pieces.into_iter().peekable();
        while column < columns.count() {
            let mut words: Vec<Piece> = Vec::new();
            let mut last = column;
            while let Some(piece) = pieces.next_if(|piece| columns.span(piece).0 <= last.max(column)) {
                last = last.max(columns.span(&piece).1);
                words.push(piece);
            }
            filled += usize::from(!words.is_empty());
            let place =
                words.iter().map(Piece::place).reduce(|all, one| all.around(&one)).unwrap_or_default();
            let text = pieces::text(words);
            cells.push(Cell { row, column, rows: 1, columns: last + 1 - column, text, place });
            column = last + 1;
        }
    }
    let share = filled as f32 / (count * columns.count()) as f32;
    let confidence = if is_ruled { 0.7 } else { 0.5 } + 0.3 * share.min(1.0);
    Some(Table {
        evidence,
        confidence,
        rows: count,
        columns: columns.count(),
        heads: 1,
        cells,
        place,
        head_above: Vec::new(),
    })
}

/// Joins continuation lines of cells with their row. The pieces of a row are sorted by column, and within a column from
/// top to bottom.
fn joined(lines: Vec<Vec<Piece>>, columns: &Columns, borders: &[f32]) -> Vec<Vec<Piece>> {
    let pitch = pitch(&lines);
    let band = |v: f32| borders.partition_point(|border| *border < v);
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    let mut last: Option<(f32, usize)> = None;
    // If rules separate all rows, everything between two rules is one row.
    let all_ruled = borders.len() > 3 && {
        let bands: Vec<usize> = lines.iter().map(|line| band(line[0].v)).collect();
        let starts = lines.iter().filter(|line| columns.span(&line[0]).0 == 0).map(|line| band(line[0].v));
        let mut starts: Vec<usize> = starts.collect();
        let many = starts.len();
        starts.dedup();
        starts.len() * 10 >= many * 8 && bands.windows(2).any(|pair| pair[0] == pair[1])
    };
    for line in lines {
        let (v, size) = (line[0].v, line[0].size);
        let starts = columns.span(&line[0]).0;
        let goes_on = last.is_some_and(|(above, above_band)| {
            let is_one_band = above_band == band(v);
            let is_close = v - above < 1.35 * size && v - above < 0.9 * pitch;
            let is_unit = |piece: &Piece| piece.text.starts_with('(') && piece.text.ends_with(')');
            let is_part = starts > 0 || line.len() == 1 || line.iter().all(is_unit);
            is_one_band && (all_ruled || (is_close && is_part))
        });
        last = Some((v, band(v)));
        match rows.last_mut() {
            Some(row) if goes_on => row.extend(line),
            _ => rows.push(line),
        }
    }
    for row in &mut rows {
        row.sort_by_key(|piece| columns.span(piece).0);
    }
    rows
}

/// The usual distance between rows.
fn pitch(lines: &[Vec<Piece>]) -> f32 {
    let mut gaps: Vec<f32> = lines.windows(2).map(|pair| pair[1][0].v - pair[0][0].v).collect();
    if gaps.is_empty() {
        return f32::MAX;
    }
    let high = (gaps.len() * 2 / 3).min(gaps.len() - 1);
    *gaps.select_nth_unstable_by(high, f32::total_cmp).1
}

fn is_table(
    rows: &[Vec<Piece>],
    columns: &Columns,
    evidence: Evidence,
    is_ruled: bool,
    lines: usize,
) -> bool {
    let count = columns.count();
    let cells: Vec<&Piece> = rows.iter().flatten().collect();
    let mut used = vec![0_usize; count];
    for row in rows {
        let mut here: Vec<usize> = row.iter().map(|piece| columns.span(piece).0).collect();
        here.dedup();
        for column in here {
            used[column] += 1;
        }
    }
    let filled: usize = used.iter().sum();
    let long = cells.iter().filter(|piece| piece.text.chars().count() > LONGEST_CELL).count();
    let is_number = |piece: &&&Piece| {
        let digits = piece.text.chars().filter(char::is_ascii_digit).count();
        digits * 2 >= piece.text.chars().filter(|c| !c.is_whitespace()).count()
    };
    let numbers = cells.iter().filter(is_number).count();
    let is_mark = |text: &str| text.chars().count() <= 2 && !text.chars().any(char::is_alphanumeric);
    let bullets = rows.iter().filter(|row| row.first().is_some_and(|piece| is_mark(&piece.text))).count();
    let numbered =
        rows.iter().filter(|row| row.first().is_some_and(|piece| lists::is_number(&piece.text))).count();
    let leaders =
        cells.iter().filter(|piece| piece.text.contains("....") || piece.text.contains(". . .")).count();
    if is_scale(rows, columns)
        || is_running_text(rows, columns)
        || (evidence == Evidence::Alignment && is_crossed(rows, columns))
        || long * 8 > cells.len()
        || bullets * 2 > rows.len()
        || leaders * 4 > rows.len()
        || is_contents(rows)
        || is_listing(rows, count)
    {
        return false;
    }
    if !is_ruled && numbered * 3 > rows.len() * 2 && count <= 3 {
        return false;
    }
    // The scale of a chart.
    if evidence == Evidence::Alignment
        && !cells.iter().any(|piece| piece.text.contains(char::is_alphabetic))
        && count < 4
    {
        return false;
    }
    if is_ruled {
        return rows.len() >= 2 && filled * 10 >= rows.len() * count * 4;
    }
    // Prose in columns fills them with long pieces, line after line.
    let letters: usize = cells.iter().map(|piece| piece.text.chars().count()).sum();
    let is_prose = letters > 28 * cells.len();
    let is_between_rules = evidence == Evidence::Rules;
    let is_filled = filled * 10 >= rows.len() * count * if is_between_rules { 5 } else { 6 };
    let has_head = rows.first().is_some_and(|row| {
        let mut here: Vec<usize> = row.iter().map(|piece| columns.span(piece).0).collect();
        here.dedup();
        here.len() == count
    });
    let is_numeric = numbers * 10 >= cells.len() * 4;
    if evidence == Evidence::Alignment && rows.len() == 2 && lines == 2 {
        return is_pair(rows, count, filled);
    }
    !is_prose
        && is_filled
        && rows.len() >= FEWEST_ROWS
        && lines >= FEWEST_ROWS
        && (count >= 3 || (count == 2 && is_numeric && rows.len() >= 4) || (is_between_rules && has_head))
}

/// Whether two rows are a table: four or more names, each with a value below it, most of them numbers.
fn is_pair(rows: &[Vec<Piece>], count: usize, filled: usize) -> bool {
    let has_digit = |piece: &&Piece| piece.text.contains(|c: char| c.is_ascii_digit());
    let [names, values] = rows else { return false };
    count >= 4
        && filled == 2 * count
        && names.len() == count
        && values.len() == count
        && names.iter().all(|piece| piece.text.contains(char::is_alphabetic) && !has_digit(&piece))
        && values.iter().filter(has_digit).count() * 2 > count
}

/// Whether the rows end with ascending page numbers.
fn is_contents(rows: &[Vec<Piece>]) -> bool {
    let last = |row: &Vec<Piece>| row.last().and_then(|piece| piece.text.parse::<u32>().ok());
    let pages: Vec<u32> = rows.iter().filter_map(last).collect();
    let grows = pages.windows(2).all(|pair| pair[0] <= pair[1]);
    let is_words = |row: &Vec<Piece>| row.iter().rev().skip(1).any(|piece| piece.text.chars().count() > 8);
    let worded = rows.iter().filter(|row| is_words(row)).count();
    pages.len() >= 3
        && pages.len() * 10 >= rows.len() * 8
        && grows
        && worded * 10 >= rows.len() * 8
        && pages.first() != pages.last()
}

/// Whether cells continue each other downwards: they are lines of prose in columns.
fn is_running_text(rows: &[Vec<Piece>], columns: &Columns) -> bool {
    let (mut pairs, mut continued) = (0, 0);
    for column in 0..columns.count() {
        let mut above: Option<&str> = None;
        for row in rows {
            let mut here = row.iter().filter(|piece| columns.span(piece).0 == column);
            let Some(first) = here.next() else { continue };
            let last = here.next_back().unwrap_or(first);
            let is_phrase = |text: &str| text.split_whitespace().nth(2).is_some();
            if let Some(above) = above.replace(&last.text).filter(|above| is_phrase(above)) {
                let is_open = !above.ends_with(['.', ':', ';', '!', '?']);
                pairs += 1;
                continued += usize::from(is_open && first.text.starts_with(char::is_lowercase));
            }
        }
    }
    pairs >= 4 && continued * 10 >= pairs * 4
}

/// Whether many words cross the gutters: they are justified prose with wide gaps.
fn is_crossed(rows: &[Vec<Piece>], columns: &Columns) -> bool {
    let pieces = || rows.iter().flatten();
    let across = pieces().map(|piece| columns.span(piece)).filter(|(first, last)| first != last).count();
    across * 4 > pieces().count()
}

/// Whether the first column is the scale of a chart: numbers that fall evenly, to zero or in steps of more than one.
fn is_scale(rows: &[Vec<Piece>], columns: &Columns) -> bool {
    let first = || rows.iter().flatten().filter(|piece| columns.span(piece).0 == 0);
    let words = || first().flat_map(|piece| piece.text.split_whitespace());
    let number = |word: &str| word.trim_end_matches('%').replace(',', ".").parse::<f64>().ok();
    let Some(numbers) = words().map(number).collect::<Option<Vec<f64>>>() else { return false };
    let (Some(last), [top, next, _, ..]) = (numbers.last(), numbers.as_slice()) else { return false };
    let step = top - next;
    let falls = |pair: &[f64]| (pair[0] - pair[1] - step).abs() < 0.01 * step;
    step > 0.0 && numbers.windows(2).all(falls) && (last.abs() < 0.01 * step || (step - 1.0).abs() > 0.01)
}

/// Whether the first column contains line numbers.
fn is_listing(rows: &[Vec<Piece>], columns: usize) -> bool {
    let first = |row: &Vec<Piece>| row.first().and_then(|piece| piece.text.parse::<i64>().ok());
    let numbers: Vec<i64> = rows.iter().filter_map(first).collect();
    let steps = numbers.windows(2).filter(|pair| pair[1] - pair[0] == 1).count();
    let is_small = |row: &&Vec<Piece>| row.len() >= 2 && row[0].size < 0.87 * row[1].size;
    let small = rows.iter().filter(is_small).count();
    let is_counted = numbers.len() >= 3
        && steps * 10 >= (numbers.len() - 1) * 7
        && numbers.len() * 10 >= rows.len() * if columns == 2 { 6 } else { 8 };
    is_counted && (columns == 2 || small * 2 > rows.len())
}
