//! Detects tables with rules between only some of their rows, as in books and journals.
//!
//! Horizontal rules of the same width below each other divide a page into bands. Consecutive bands with words in columns are
//! a table, and a band of prose ends it. Columns are the gutters that the rows share ([`super::columns`]).

use super::aligned_table::{self, Rows};
use super::blocks::{Evidence, Place, Table};
use super::pieces::{self, Source};
use super::regions::Regions;
use super::rules::{Bar, Rules};

/// The ends of a table's rules differ by at most this many points.
const SLACK: f32 = 6.0;
/// Minimum width of a table, in points.
const NARROWEST: f32 = 60.0;
/// Maximum number of rules that are examined.
const MOST_BANDS: usize = 400;

/// Finds tables. Their segments are marked as taken.
pub(super) fn find(
    rules: &Rules,
    source: &Source<'_>,
    regions: &Regions,
    free: &mut [bool],
    main: &[usize],
) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for ladder in ladders(&rules.horizontal) {
        if is_chart(&ladder, source, free, main) {
            continue;
        }
        let mut from = 0;
        while from + 1 < ladder.len() {
            let (to, found) = table(&ladder, from, source, regions, free, main);
            if let Some((table, taken)) = found {
                for index in taken {
                    free[index] = false;
                }
                tables.push(table);
            }
            from = to.max(from + 1);
        }
    }
    tables
}

/// Sets of rules with the same ends, from top to bottom.
fn ladders(bars: &[Bar]) -> Vec<Vec<Bar>> {
    let mut ladders: Vec<Vec<Bar>> = Vec::new();
    for bar in bars.iter().filter(|bar| bar.length() >= NARROWEST).take(MOST_BANDS) {
        let is_like = |ladder: &&mut Vec<Bar>| {
            (ladder[0].from - bar.from).abs() < SLACK && (ladder[0].to - bar.to).abs() < SLACK
        };
        match ladders.iter_mut().find(is_like) {
            Some(ladder) => ladder.push(*bar),
            None => ladders.push(vec![*bar]),
        }
    }
    ladders.retain(|ladder| ladder.len() >= 2);
    ladders
}

/// The longest table that begins at a rule: the index of its last rule, the table and its segments.
fn table(
    ladder: &[Bar],
    from: usize,
    source: &Source<'_>,
    regions: &Regions,
    free: &[bool],
    main: &[usize],
) -> (usize, Option<(Table, Vec<usize>)>) {
    let mut to = from;
    let mut bands: Vec<Vec<usize>> = Vec::new();
    while to + 1 < ladder.len() {
        let band = inside(&ladder[to], &ladder[to + 1], source, free, main);
        // A table is either completely inside a box or outside.
        let owner = |index: &usize| regions.owner(regions.cell(*index));
        let first = bands.iter().flatten().chain(&band).next().map(owner);
        if !is_tabular(&band, source) || band.iter().any(|index| Some(owner(index)) != first) {
            break;
        }
        bands.push(band);
        to += 1;
    }
    (to, made(&ladder[from..=to], &bands, source))
}

/// Builds a table from bands, with its segments.
fn made(ladder: &[Bar], bands: &[Vec<usize>], source: &Source<'_>) -> Option<(Table, Vec<usize>)> {
    let words = bands.iter().filter(|band| !band.is_empty()).count();
    let (first, last) = (ladder.first()?, ladder.last()?);
    if words == 0 {
        return None;
    }
    let taken: Vec<usize> = bands.iter().flatten().copied().collect();
    let pieces = taken.iter().flat_map(|index| source.parts(*index)).collect();
    let rows = Rows::new(pieces, source, true)?;
    let borders: Vec<f32> = ladder.iter().map(|bar| bar.at).collect();
    let place = Place { left: first.from, top: first.at, right: first.to, bottom: last.at };
    // Only two rules could also belong to the header and the footer of the page.
    let is_ruled = words >= 2;
    let table = aligned_table::table(rows, Evidence::Rules, is_ruled, &borders, place)?;
    Some((table, taken))
}

/// Whether most rules have no words between them, like the scale of a chart.
fn is_chart(ladder: &[Bar], source: &Source<'_>, free: &[bool], main: &[usize]) -> bool {
    let bare = ladder.windows(2).filter(|pair| {
        pair[1].at - pair[0].at > 6.0 && inside(&pair[0], &pair[1], source, free, main).is_empty()
    });
    ladder.len() >= 4 && bare.count() * 2 >= ladder.len()
}

fn inside(above: &Bar, below: &Bar, source: &Source<'_>, free: &[bool], main: &[usize]) -> Vec<usize> {
    let holds = |index: &usize| {
        let segment = source.segment(*index);
        let middle = segment.v - 0.3 * segment.size;
        free[*index]
            && above.at < middle
            && middle < below.at
            && segment.start > above.from - SLACK
            && segment.end < above.to + SLACK
    };
    main.iter().copied().filter(holds).collect()
}

/// Whether the words of a band are in columns.
fn is_tabular(band: &[usize], source: &Source<'_>) -> bool {
    if band.is_empty() {
        return false;
    }
    let rows = pieces::rows(band.iter().flat_map(|index| source.parts(*index)).collect());
    let several = rows.iter().filter(|row| row.len() >= 2).count();
    // A form: the first row names the columns, and only the first column has words.
    let is_form = rows.len() >= 3 && rows[0].len() == 2 && {
        let second = rows[0][1].start;
        rows[1..].iter().flatten().all(|piece| piece.end < second)
    };
    several >= 1 && (several * 4 >= rows.len() || is_form)
}
