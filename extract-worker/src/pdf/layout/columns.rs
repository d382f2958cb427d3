//! Reading order from positions alone, for pages that draw their text out of order.
//!
//! A gutter is a vertical gap between two columns of running text that almost no segment crosses. Segments
//! that do cross it (a title, the caption of a wide figure) divide the page into bands. In each band the
//! left column is read before the right one. Without a gutter, text is read row by row, like a table.

use super::lines::Segment;

/// Maximum nesting depth of columns.
const DEEPEST: u8 = 6;
/// Minimum line length of a column, in characters; table cells are shorter.
const SHORTEST_LINE: usize = 12;
/// Minimum number of lines in a column.
const FEWEST_LINES: usize = 3;

/// The segments in reading order.
pub(in crate::pdf) fn order<'s>(segments: &[&'s Segment]) -> Vec<&'s Segment> {
    let mut ordered = Vec::with_capacity(segments.len());
    arrange(segments.to_vec(), DEEPEST, &mut ordered);
    ordered
}

/// Whether the drawing order can be the reading order: line by line downwards, and upwards only to the
/// right, to the next column.
pub(in crate::pdf) fn is_natural(segments: &[&Segment]) -> bool {
    let backwards = segments.windows(2).filter(|pair| {
        let (last, next) = (pair[0], pair[1]);
        let size = last.size.max(next.size);
        let (down, right) = (next.v - last.v, next.start - last.start);
        if last.right_to_left || next.right_to_left {
            down < -0.5 * size
        } else {
            down < 0.5 * size && right < 0.5 * size
        }
    });
    // Misplaced headers and footers, and formulas, do not count as disorder.
    let backwards = backwards.count();
    (backwards <= 5 && backwards * 2 < segments.len()) || backwards * 4 <= segments.len()
}

fn arrange<'s>(region: Vec<&'s Segment>, depth: u8, ordered: &mut Vec<&'s Segment>) {
    let Some(gutter) = (depth > 0).then(|| gutter(&region)).flatten() else {
        ordered.extend(rows(region));
        return;
    };
    let (mut across, columns): (Vec<&Segment>, Vec<&Segment>) =
        region.into_iter().partition(|segment| crosses(segment, gutter));
    across.sort_by(|a, b| a.v.total_cmp(&b.v));
    let mut columns = columns;
    for divider in across {
        let (above, below) = columns.into_iter().partition(|segment| segment.v < divider.v);
        band(above, gutter, depth, ordered);
        ordered.push(divider);
        columns = below;
    }
    band(columns, gutter, depth, ordered);
}

/// Reads the left column of a band, then the right one.
fn band<'s>(segments: Vec<&'s Segment>, gutter: f32, depth: u8, ordered: &mut Vec<&'s Segment>) {
    let (left, right): (Vec<&Segment>, Vec<&Segment>) =
        segments.into_iter().partition(|segment| segment.start < gutter);
    for column in [left, right] {
        if !column.is_empty() {
            arrange(column, depth - 1, ordered);
        }
    }
}

fn crosses(segment: &Segment, gutter: f32) -> bool {
    segment.start < gutter && segment.end > gutter
}

/// The best gutter of a region: just to the left of where many lines start.
fn gutter(region: &[&Segment]) -> Option<f32> {
    let mut candidates: Vec<f32> = region.iter().map(|segment| (segment.start - 1.0).floor()).collect();
    candidates.sort_by(f32::total_cmp);
    candidates.dedup();
    let parts = |gutter: &f32| {
        let (mut left, mut right, mut across) = (Vec::new(), Vec::new(), 0_usize);
        for segment in region {
            if crosses(segment, *gutter) {
                across += 1;
            } else if segment.start < *gutter {
                left.push(*segment);
            } else {
                right.push(*segment);
            }
        }
        let both = is_column(&left) && is_column(&right) && stand_side_by_side(&left, &right);
        (both && across * 6 <= left.len() + right.len())
            .then(|| (left.len().min(right.len()).saturating_sub(across), *gutter))
    };
    // A region of thousands of short pieces is not running text, so a sample of candidates will do.
    let step = candidates.len().div_ceil(200).max(1);
    candidates
        .iter()
        .step_by(step)
        .filter_map(parts)
        .max_by_key(|(worth, _)| *worth)
        .map(|(_, gutter)| gutter)
}

fn is_column(segments: &[&Segment]) -> bool {
    let mut lengths: Vec<usize> = segments.iter().map(|segment| segment.text.chars().count()).collect();
    if lengths.len() < FEWEST_LINES {
        return false;
    }
    let middle = lengths.len() / 2;
    *lengths.select_nth_unstable(middle).1 >= SHORTEST_LINE
}

fn stand_side_by_side(left: &[&Segment], right: &[&Segment]) -> bool {
    let span = |column: &[&Segment]| {
        let places = || column.iter().map(|segment| segment.v);
        (places().fold(f32::MAX, f32::min), places().fold(f32::MIN, f32::max))
    };
    let ((left_top, left_bottom), (right_top, right_bottom)) = (span(left), span(right));
    let common = left_bottom.min(right_bottom) - left_top.max(right_top);
    common > 0.5 * (left_bottom - left_top).min(right_bottom - right_top)
}

/// Reads row by row, each in its direction.
fn rows(mut segments: Vec<&Segment>) -> Vec<&Segment> {
    segments.sort_by(|a, b| a.v.total_cmp(&b.v));
    let mut at = 0;
    while at < segments.len() {
        let (v, size) = (segments[at].v, segments[at].size);
        let row =
            segments[at..].iter().take_while(|segment| segment.v - v < 0.4 * size.min(segment.size)).count();
        let row = &mut segments[at..at + row.max(1)];
        row.sort_by(|a, b| a.start.total_cmp(&b.start));
        if row.iter().filter(|segment| segment.right_to_left).count() * 2 > row.len() {
            row.reverse();
        }
        at += row.len();
    }
    segments
}
