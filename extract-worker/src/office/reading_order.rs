//! The reading order of the shapes on a slide.
//!
//! A file lists shapes in drawing order. They are read from top to bottom and from left to right: the slide is cut
//! along the gaps between shapes, recursively. If both a row and a column could come first, the file's order decides.

use std::cmp::Ordering;

/// If there are more shapes, they are left in file order.
const MOST_SHAPES: usize = 500;
/// How much of a shape may overlap another on each side, relative to its size: boxes are larger than their text.
const SLACK: f64 = 0.1;

/// The rectangle in which a shape stands, in any unit of length.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Place {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

/// The indices of `places` in reading order.
pub(crate) fn reading_order(places: &[Place]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    if order.len() <= MOST_SHAPES {
        arrange(places, &mut order);
    }
    order
}

/// The direction in which shapes follow each other.
#[derive(Debug, Clone, Copy)]
enum Axis {
    Down,
    Across,
}

impl Axis {
    /// Where a shape begins and ends.
    fn span(self, place: &Place) -> (f64, f64) {
        let (start, end) = match self {
            Self::Down => (place.top, place.bottom),
            Self::Across => (place.left, place.right),
        };
        let slack = (end - start).max(0.0) * SLACK;
        (start + slack, end - slack)
    }
}

/// Arranges shapes, which are in file order. Each call cuts off at least one shape, so the number of shapes limits the
/// depth of the recursion.
fn arrange(places: &[Place], shapes: &mut [usize]) {
    if shapes.len() < 2 {
        return;
    }
    let (rows, columns) = (cut(places, shapes, Axis::Down), cut(places, shapes, Axis::Across));
    let groups = match (rows.len() > 1, columns.len() > 1) {
        (true, true) if reversals(&columns) < reversals(&rows) => columns,
        (true, _) => match joined(places, &rows) {
            groups if groups.len() > 1 => groups,
            _ => rows,
        },
        (false, true) => columns,
        (false, false) => {
            let key = |shape: usize| (places[shape].top, places[shape].left);
            shapes.sort_by(|one, other| key(*one).partial_cmp(&key(*other)).unwrap_or(Ordering::Equal));
            return;
        }
    };
    let mut rest = shapes;
    for group in groups {
        let (these, others) = rest.split_at_mut(group.len());
        these.copy_from_slice(&group);
        arrange(places, these);
        rest = others;
    }
}

/// Joins consecutive rows that share columns, so that they can be read column by column if the file does so. Otherwise
/// a title above them would separate the heads of columns from their bodies.
fn joined(places: &[Place], rows: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    // Whether the last group is of several columns.
    let mut has_columns = false;
    for row in rows {
        let is_columned = cut(places, row, Axis::Across).len() > 1;
        if has_columns
            && is_columned
            && let Some(last) = groups.last_mut()
        {
            let mut both = last.clone();
            both.extend(row);
            both.sort_unstable();
            if cut(places, &both, Axis::Across).len() > 1 {
                *last = both;
                continue;
            }
        }
        has_columns = is_columned;
        groups.push(row.clone());
    }
    groups
}

/// Groups of shapes with gaps between them in this direction; each group is in file order.
fn cut(places: &[Place], shapes: &[usize], axis: Axis) -> Vec<Vec<usize>> {
    let mut sorted = shapes.to_vec();
    let start = |shape: usize| axis.span(&places[shape]).0;
    sorted.sort_by(|one, other| start(*one).partial_cmp(&start(*other)).unwrap_or(Ordering::Equal));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut end = f64::NEG_INFINITY;
    for shape in sorted {
        let (from, to) = axis.span(&places[shape]);
        match groups.last_mut() {
            Some(group) if from < end => group.push(shape),
            _ => groups.push(vec![shape]),
        }
        end = end.max(to);
    }
    for group in &mut groups {
        group.sort_unstable();
    }
    groups
}

/// How many pairs of shapes in different groups have the opposite order in the file.
fn reversals(groups: &[Vec<usize>]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut reversals = 0;
    for group in groups {
        for shape in group {
            reversals += before.len() - before.partition_point(|earlier| earlier < shape);
        }
        before.extend(group);
        before.sort_unstable();
    }
    reversals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(places: &[[f64; 4]]) -> Vec<usize> {
        let place = |[left, top, right, bottom]: &[f64; 4]| Place {
            left: *left,
            top: *top,
            right: *right,
            bottom: *bottom,
        };
        reading_order(&places.iter().map(place).collect::<Vec<_>>())
    }

    #[test]
    fn shapes_are_read_from_the_top_down_and_columns_one_by_one() {
        // Drawn from the bottom up.
        assert_eq!(order(&[[0., 9., 9., 10.], [0., 5., 9., 6.], [0., 0., 9., 1.]]), [2, 1, 0]);
        // Columns of several boxes under a title.
        let columns = [[6., 2., 10., 9.], [0., 5., 4., 9.], [0., 2., 4., 4.], [0., 0., 10., 1.]];
        assert_eq!(order(&columns), [3, 2, 1, 0]);
        // The same, of one box for each row and column, which the file lists by column.
        let cells =
            [[0., 0., 10., 1.], [0., 2., 4., 3.], [0., 4., 4., 9.], [6., 2., 9., 3.], [6., 4., 9., 9.]];
        assert_eq!(order(&cells), [0, 1, 2, 3, 4]);
        // Rows and columns: the file knows.
        let rows = [[0., 0., 4., 1.], [5., 0., 9., 1.], [0., 2., 4., 3.], [5., 2., 9., 3.]];
        assert_eq!(order(&rows), [0, 1, 2, 3]);
        assert_eq!(order(&[rows[0], rows[2], rows[1], rows[3]]), [0, 1, 2, 3]);
        // Boxes that overlap a little, and boxes on each other.
        assert_eq!(order(&[[0., 1.9, 9., 4.], [0., 0., 9., 2.]]), [1, 0]);
        assert_eq!(order(&[[0., 0., 9., 9.], [1., 1., 8., 8.]]), [0, 1]);
    }
}
