//! Corrects the reading order of blocks, for Markdown. `layout::reading_order` decides that of plain text.
//!
//! Most pages are drawn in reading order, but headings, captions, notes and margins are often drawn apart from the text. A
//! block that is above another one and overlaps it horizontally is read first. Columns are read from left to right (the two
//! rules of Breuel, 2003), a box to the right of text after the text, footnotes after all columns, and margins first and last.
//! Otherwise blocks keep the order of drawing.
//!
//! Invariant: no part is lost.

use super::blocks::Place;
use super::lists;
use super::regions::Regions;
use super::{Part, SMALL};

/// If there are more blocks, they keep their order.
const MOST: usize = 1000;

/// Height of the margins that may contain running heads, as a share of the page's height.
const MARGIN: f32 = 0.15;

/// A block: consecutive parts that belong together.
struct Run {
    parts: Vec<Part>,
    place: Place,
    /// The box that contains the parts.
    owner: Option<usize>,
    is_box: bool,
    /// -1 in the top margin, 1 for footnotes, 2 in the bottom margin, else 0.
    margin: i8,
    /// Size of the first line.
    size: f32,
    /// The column that contains it, and the number of lines of that column.
    column: Place,
    lines: usize,
}

/// The parts of a page in reading order: each block after all that must be read before it.
pub(super) fn ordered(parts: Vec<Part>, regions: &Regions, page: &Place) -> Vec<Part> {
    let mut runs = runs(parts, regions);
    if runs.len() > MOST {
        return runs.into_iter().flat_map(|run| run.parts).collect();
    }
    mark_margins(&mut runs, page);
    mark_notes(&mut runs);
    for run in &mut runs {
        (run.column, run.lines) = (run.place, run.parts.len());
    }
    find_columns(&mut runs);
    let before: Vec<Vec<usize>> = (0..runs.len()).map(|index| before(index, &runs)).collect();
    let mut runs: Vec<Option<Run>> = runs.into_iter().map(Some).collect();
    let mut seen = vec![false; runs.len()];
    let mut ordered = Vec::new();
    for first in 0..runs.len() {
        // A stack of blocks. `true` means that all that must be read before it is above it on the stack.
        let mut open = vec![(first, false)];
        while let Some((index, is_ready)) = open.pop() {
            if is_ready {
                ordered.extend(runs[index].take().into_iter().flat_map(|run| run.parts));
            } else if !std::mem::replace(&mut seen[index], true) {
                open.push((index, true));
                open.extend(before[index].iter().filter(|other| !seen[**other]).map(|other| (*other, false)));
            }
        }
    }
    ordered
}

/// Whether a block is above another one and overlaps it horizontally.
fn is_over(above: &Place, below: &Place) -> bool {
    let slack = 0.3 * above.height().min(below.height()).min(8.0);
    let common = above.common_width(below);
    above.bottom <= below.top + slack && common > 4.0 && common > 0.1 * above.width().min(below.width())
}

/// The blocks that must be read before this one, last first.
fn before(index: usize, runs: &[Run]) -> Vec<usize> {
    let run = &runs[index];
    let is_before = |other: &Run| {
        is_over(&other.place, &run.place)
            || other.margin < run.margin
            || (run.is_box && !other.is_box && stands_before(other, &run.place))
            || (other.margin == run.margin && (is_left_column(other, run) || is_side_heading(other, run)))
    };
    (0..runs.len()).rev().filter(|other| *other != index && is_before(&runs[*other])).collect()
}

/// Whether two blocks are in adjacent columns, `left` in the left one.
fn is_left_column(left: &Run, right: &Run) -> bool {
    let (one, other) = (&left.column, &right.column);
    let ratio = one.width() / other.width();
    let are_columns = left.lines >= 3 && right.lines >= 3 && (0.6..1.67).contains(&ratio);
    are_columns
        && !left.is_box
        && !right.is_box
        && one.right <= other.left + 2.0
        && one.common_height(other) > 0.3 * one.height().min(other.height())
}

/// Whether large type is to the left of a block, not lower than its first line.
fn is_side_heading(heading: &Run, run: &Run) -> bool {
    heading.size > 1.3 * run.size
        && heading.place.right <= run.place.left
        && heading.place.common_height(&run.place) > 0.0
        && heading.place.top < run.place.top + heading.size
}

/// Finds columns: blocks below each other with the same left end and nothing else between them.
fn find_columns(runs: &mut [Run]) {
    let mut by_top: Vec<usize> = (0..runs.len()).collect();
    by_top.sort_by(|a, b| runs[*b].place.top.total_cmp(&runs[*a].place.top));
    // Upwards: each block joins the column of the next one below it.
    for index in by_top {
        let place = runs[index].place;
        let below = runs
            .iter()
            .filter(|run| run.place.top >= place.bottom - 3.0 && run.place.common_width(&place) > 0.0);
        let next = below.min_by(|a, b| a.place.top.total_cmp(&b.place.top));
        let Some(next) = next.filter(|next| {
            let ratio = next.place.width() / place.width();
            let gap = next.place.top - place.bottom;
            (next.place.left - place.left).abs() < 14.0
                && (0.5..2.0).contains(&ratio)
                && gap < 4.0 * next.size
        }) else {
            continue;
        };
        let (column, lines) = (place.around(&next.column), runs[index].lines + next.lines);
        (runs[index].column, runs[index].lines) = (column, lines);
    }
    // Downwards: all blocks of a column get its full extent.
    let mut by_top: Vec<usize> = (0..runs.len()).collect();
    by_top.sort_by(|a, b| runs[*a].place.top.total_cmp(&runs[*b].place.top));
    for index in by_top {
        let (column, lines, place) = (runs[index].column, runs[index].lines, runs[index].place);
        for run in runs.iter_mut() {
            let is_inside = run.place.around(&column) == column && run.place.top > place.top;
            if is_inside && (run.place.left - place.left).abs() < 14.0 && run.lines < lines {
                (run.column, run.lines) = (column, lines);
            }
        }
    }
}

/// Marks short blocks above or below everything else on the page as margins.
fn mark_margins(runs: &mut [Run], page: &Place) {
    let is_body = |run: &&Run| run.parts.len() >= 3 || run.parts.iter().any(|part| part.line().is_none());
    let body = runs.iter().filter(is_body).map(|run| run.place).reduce(|all, one| all.around(&one));
    let Some(body) = body else { return };
    let (top, bottom) = (page.top + MARGIN * page.height(), page.bottom - MARGIN * page.height());
    for run in runs.iter_mut().filter(|run| run.parts.len() < 3) {
        if run.place.bottom < body.top.min(top) {
            run.margin = -1;
        } else if run.place.top > body.bottom.max(bottom) {
            run.margin = 2;
        }
    }
}

/// Marks footnotes: small type with a number or mark, below all running text of its column, and what continues it. They are
/// read after the text of all columns.
fn mark_notes(runs: &mut [Run]) {
    let body = usual_size(runs);
    let is_small = |run: &Run| run.parts[0].line().is_some() && run.size < SMALL * body;
    let is_over_text = |run: &Run| {
        runs.iter().any(|other| other.margin == 0 && !is_small(other) && is_over(&run.place, &other.place))
    };
    let is_lowest = |run: &Run| run.margin == 0 && !run.is_box && is_small(run) && !is_over_text(run);
    let is_marked = |run: &Run| run.parts[0].line().is_some_and(|line| lists::is_note(&line.text));
    let lowest: Vec<usize> = (0..runs.len()).filter(|index| is_lowest(&runs[*index])).collect();
    let marked = || lowest.iter().map(|index| &runs[*index]).filter(|run| is_marked(run));
    let Some(first) = marked().min_by(|a, b| a.place.top.total_cmp(&b.place.top)) else { return };
    let (top, size) = (first.place.top, first.size);
    for index in lowest {
        let run = &mut runs[index];
        let goes_on = run.place.top >= top && (run.size - size).abs() < 0.04 * size;
        if is_marked(run) || goes_on {
            run.margin = 1;
        }
    }
}

/// The size of most letters.
fn usual_size(runs: &[Run]) -> f32 {
    let mut sizes: Vec<(f32, u32)> = Vec::new();
    for line in runs.iter().flat_map(|run| &run.parts).filter_map(Part::line) {
        match sizes.iter_mut().find(|(size, _)| (size - line.size).abs() < 0.02 * size) {
            Some((_, letters)) => *letters += line.letters,
            None => sizes.push((line.size, line.letters)),
        }
    }
    sizes.into_iter().max_by_key(|(_, letters)| *letters).map_or(0.0, |(size, _)| size)
}

/// Whether wider running text is to the left of a box. The box is then read after it.
fn stands_before(run: &Run, place: &Place) -> bool {
    let is_beside = |part: &&Part| {
        let line = part.place();
        line.common_height(place) > 0.0 && line.right <= place.left
    };
    run.place.width() > 1.05 * place.width()
        && run.parts.iter().filter(is_beside).count() * 2 > run.parts.len()
}

/// Groups lines that are drawn below each other, or that are in the same box, into blocks.
fn runs(parts: Vec<Part>, regions: &Regions) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for part in parts {
        let place = *part.place();
        let owner = part.line().and_then(|line| regions.owner(line.cell));
        match runs.last_mut() {
            Some(run) if run.owner == owner && (owner.is_some() || goes_on(run, &part)) => {
                run.place = run.place.around(&place);
                run.parts.push(part);
            }
            _ => {
                let around = owner.and_then(|owner| regions.place(owner)).copied();
                runs.push(Run {
                    size: part.line().map_or(10.0, |line| line.size),
                    parts: vec![part],
                    place: around.unwrap_or(place),
                    owner,
                    is_box: owner.is_some(),
                    margin: 0,
                    column: place,
                    lines: 1,
                });
            }
        }
    }
    runs
}

fn goes_on(run: &Run, part: &Part) -> bool {
    let (Some(Part::Line(last)), Part::Line(line)) = (run.parts.last(), part) else { return false };
    let down = line.v - last.v;
    let size = last.size.max(line.size);
    let is_like = (last.size - line.size).abs() < 0.1 * size;
    is_like && (0.0..1.8 * size).contains(&down) && last.place.common_width(&line.place) > 0.0
}
