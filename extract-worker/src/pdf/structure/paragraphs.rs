//! Joins lines into paragraphs.
//!
//! The lines of a paragraph have the same size and distance. A paragraph ends if the distance grows, if the next line is
//! indented, if a line ends early with the end of a sentence, or if a list item begins.

use super::headings;
use super::initials;
use super::line::Line;
use super::lists;
use super::statistics::Statistics;

/// A larger distance, relative to the usual one, separates paragraphs.
const WIDER: f32 = 1.28;
/// Maximum number of lines that are compared to find the right end of a column.
const MOST_NEAR: usize = 300;
/// Sizes that differ by less are the same.
const ONE_SIZE: f32 = 0.08;

/// Lines that belong together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) lines: Vec<Line>,
    /// The distance to the previous and to the next line in the column; `None` at its ends.
    pub(super) above: Option<f32>,
    pub(super) below: Option<f32>,
}

impl Group {
    pub(super) fn first(&self) -> &Line {
        &self.lines[0]
    }

    pub(super) fn last(&self) -> &Line {
        &self.lines[self.lines.len() - 1]
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            join(&mut text, &line.text);
        }
        text
    }

    pub(super) fn size(&self) -> f32 {
        self.first().size
    }

    /// The distance between its last lines.
    fn pitch(&self) -> Option<f32> {
        let [.., before, last] = self.lines.as_slice() else { return None };
        Some(last.v - before.v).filter(|pitch| *pitch > 0.5 * last.size)
    }
}

/// Groups lines in reading order.
pub(super) fn groups(lines: Vec<Line>, statistics: &Statistics) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut right_edge = Edges::of(&lines);
    let ends = column_ends(&lines);
    for (line, end) in lines.into_iter().zip(ends) {
        let initial = groups.last_mut().and_then(|group| match group.lines.as_mut_slice() {
            [only] if initials::is_initial(only, &line) => Some(only),
            _ => None,
        });
        if let Some(initial) = initial {
            *initial = initials::joined(initial, line);
            continue;
        }
        let down = groups.last().map(|group| below(group.last(), &line));
        match groups.last_mut() {
            Some(group)
                if goes_on(group, &line, &mut right_edge, statistics)
                    && !is_list(group, &line, end, statistics) =>
            {
                group.lines.push(line);
            }
            last => {
                let distance = down.flatten();
                if let Some(last) = last {
                    last.below = distance;
                }
                groups.push(Group { lines: vec![line], above: distance, below: None });
            }
        }
    }
    groups
}

/// For each line the right end of the longest one among the lines directly above and below that begin at the same place.
fn column_ends(lines: &[Line]) -> Vec<f32> {
    let is_next = |above: &Line, line: &Line| {
        let size = above.size.max(line.size);
        above.cell == line.cell
            && (above.size - line.size).abs() < ONE_SIZE * size
            && (above.place.left - line.place.left).abs() < size
            && (0.5 * size..2.0 * size).contains(&(line.v - above.v))
    };
    let mut ends = Vec::with_capacity(lines.len());
    for column in lines.chunk_by(is_next) {
        let end = column.iter().map(|line| line.place.right).fold(f32::MIN, f32::max);
        ends.extend(std::iter::repeat_n(end, column.len()));
    }
    ends
}

/// Whether a line was broken on purpose, as in a list without marks or an address: the first word of the next line would have
/// fitted easily. `end` is the end of the column.
fn is_list(group: &Group, line: &Line, end: f32, statistics: &Statistics) -> bool {
    let last = group.last();
    let first_word = line.text.split_whitespace().next().unwrap_or_default();
    let width = (0.6 * first_word.chars().count() as f32 + 1.0) * line.size;
    let is_in_line = (line.place.left - last.place.left).abs() < 0.5 * line.size;
    let is_text = line.size < 1.1 * statistics.body && !statistics.is_bold(line) && !line.look.is_monospace;
    is_in_line && is_text && first_word.starts_with(char::is_uppercase) && end - last.place.right > width
}

/// The distance between two lines, if one is below the other.
fn below(above: &Line, line: &Line) -> Option<f32> {
    let is_below = line.v > above.v && line.place.common_width(&above.place) > -2.0 * line.size;
    (is_below && line.is_upright == above.is_upright).then_some(line.v - above.v)
}

fn goes_on(group: &Group, line: &Line, edges: &mut Edges, statistics: &Statistics) -> bool {
    let last = group.last();
    if last.cell != line.cell {
        return false;
    }
    let Some(down) = below(last, line) else {
        return flows_over(group, line, statistics);
    };
    // An entry of a table of contents ends with its page.
    if headings::is_leader(&last.text) && last.text.ends_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let (small, large) = (last.size.min(line.size), last.size.max(line.size));
    if !statistics.is_typewritten && last.look.is_monospace && line.look.is_monospace {
        return large - small < ONE_SIZE * large && down < 2.3 * large;
    }
    if large - small > ONE_SIZE * large && line.letters > 3 && last.letters > 3 {
        return false;
    }
    let usual = group.pitch().unwrap_or(statistics.pitch(large)).min(2.2 * large);
    if down > WIDER * usual || down < 0.5 * large {
        return false;
    }
    if lists::marker(&line.text).is_some_and(|(marker, _)| lists::is_bullet(marker) || is_item(group, marker))
    {
        return false;
    }
    let right = edges.right(last);
    let ends_early = last.place.right < right - 2.5 * last.size;
    let ends_sentence = last.text.trim_end().ends_with(['.', '!', '?', ':', '”', '"', ')']);
    // A bold run-in may continue on the next line. A bold line on its own is a title.
    let (is_bold, was_bold) = (statistics.is_bold(line), statistics.is_bold(last));
    if is_bold != was_bold && (ends_early || ends_sentence || down > 1.1 * usual) {
        return false;
    }
    let is_number = lists::is_number(last.text.trim());
    if ends_early && ends_sentence && !is_number {
        return false;
    }
    // The first line of a paragraph is indented.
    let indent = line.place.left - last.place.left;
    let is_indented = (0.7 * line.size..6.0 * line.size).contains(&indent);
    let is_hanging = group.lines.len() == 1 && lists::marker(&last.text).is_some();
    let is_new = is_indented && !is_hanging && ends_sentence && !statistics.is_centered(last, line);
    !is_new
}

/// Whether a paragraph continues at the top of the next column.
fn flows_over(group: &Group, line: &Line, statistics: &Statistics) -> bool {
    let last = group.last();
    let is_body = |line: &Line| (line.size - statistics.body).abs() < 0.04 * statistics.body;
    let is_open =
        |text: &str| text.trim_end().ends_with(|c: char| c.is_lowercase() || matches!(c, ',' | '-' | ';'));
    group.lines.len() >= 2
        && last.is_upright
        && line.is_upright
        && line.v < last.v
        && line.place.left > last.place.left
        && is_body(last)
        && is_body(line)
        && is_open(&last.text)
        && line.text.starts_with(char::is_lowercase)
}

/// Whether a marker starts an item.
fn is_item(group: &Group, marker: &str) -> bool {
    let _ = group;
    !marker.starts_with(|c: char| c.is_ascii_alphabetic()) || marker.starts_with('(')
}

/// The left and right ends of all lines, sorted.
struct Edges(Vec<(f32, f32)>);

impl Edges {
    fn of(lines: &[Line]) -> Self {
        let mut edges: Vec<(f32, f32)> =
            lines.iter().map(|line| (line.place.left, line.place.right)).collect();
        edges.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(edges)
    }

    /// The right end of a line's column: that of the longest line with the same left end.
    fn right(&self, line: &Line) -> f32 {
        let slack = 1.5 * line.size;
        let from = self.0.partition_point(|(left, _)| *left < line.place.left - slack);
        let near =
            self.0[from..].iter().take(MOST_NEAR).take_while(|(left, _)| *left <= line.place.left + slack);
        near.map(|(_, right)| *right).fold(line.place.right, f32::max)
    }
}

/// Appends a line and resolves a hyphen at the end of the text.
pub(super) fn join(text: &mut String, line: &str) {
    if text.is_empty() {
        return text.push_str(line);
    }
    if is_divided(text, line) {
        text.pop();
    } else if !(text.ends_with(is_unspaced) && line.starts_with(is_unspaced)) {
        text.push(' ');
    }
    text.push_str(line);
}

/// Whether a word is divided by a hyphen at the end of a text and continues in the next line.
pub(super) fn is_divided(text: &str, line: &str) -> bool {
    let before = text.strip_suffix(['-', '\u{2010}']);
    before.is_some_and(|before| before.ends_with(char::is_alphabetic)) && line.starts_with(char::is_lowercase)
}

/// Whether a character belongs to a script without spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}')
}
