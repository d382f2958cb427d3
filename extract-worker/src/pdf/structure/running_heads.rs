//! Detects running heads: text and page numbers that pages repeat at their top or bottom.
//!
//! A line in the margins is a running head if other pages have it at the same height, except for its digits. Odd and even
//! pages may differ. On a single page, the line at the top may be the title.

use super::Layout;
use super::line::Line;
use std::collections::HashMap;

/// Height of the margins, as a share of the page's height.
const MARGIN: f32 = 0.13;
/// Minimum number of pages with the same running head.
const FEWEST: usize = 3;
/// Maximum number of lines of a margin that are examined.
const MOST: usize = 4;

/// For each page the indices of its running heads, and whether they are at the top.
pub(super) fn find(pages: &[Layout]) -> Vec<HashMap<usize, bool>> {
    let mut seen: HashMap<(String, i32), usize> = HashMap::new();
    let mut found: Vec<HashMap<usize, bool>> = vec![HashMap::new(); pages.len()];
    let candidates: Vec<Vec<Candidate>> = pages.iter().map(margins).collect();
    for candidate in candidates.iter().flatten() {
        *seen.entry(candidate.key.clone()).or_default() += 1;
    }
    let near = |(text, at): &(String, i32)| -> usize {
        (at - 1..=at + 1).filter_map(|at| seen.get(&(text.clone(), at))).sum()
    };
    for (page, candidates) in candidates.iter().enumerate() {
        for Candidate { index, is_at_top, key } in candidates {
            let fewest = if pages.len() < 6 { 2.max(pages.len() / 2) } else { FEWEST };
            if pages.len() >= 2 && near(key) >= fewest {
                found[page].insert(*index, *is_at_top);
            }
        }
    }
    found
}

/// A line in the margin of a page.
struct Candidate {
    /// Its index among the parts of the page.
    index: usize,
    is_at_top: bool,
    /// The words without digits, and the height. Equal on pages with the same running head.
    key: (String, i32),
}

/// The lines in a page's margins.
fn margins(page: &Layout) -> Vec<Candidate> {
    let place = &page.place;
    let lines = || {
        let lines = page.parts.iter().enumerate().filter_map(|(index, part)| Some((index, part.line()?)));
        lines.filter(|(_, line)| line.is_upright)
    };
    let top = place.top + MARGIN * place.height();
    let bottom = place.bottom - MARGIN * place.height();
    let mut above: Vec<(usize, &Line)> = lines().filter(|(_, line)| line.v < top).collect();
    let mut below: Vec<(usize, &Line)> = lines().filter(|(_, line)| line.v > bottom).collect();
    above.sort_by(|a, b| a.1.v.total_cmp(&b.1.v));
    below.sort_by(|a, b| b.1.v.total_cmp(&a.1.v));
    let candidate = |index: usize, line: &Line, is_at_top: bool| Candidate {
        index,
        is_at_top,
        key: (key(&line.text), rounded(line.v)),
    };
    let above = above.into_iter().take(MOST).map(|(index, line)| candidate(index, line, true));
    above.chain(below.into_iter().take(MOST).map(|(index, line)| candidate(index, line, false))).collect()
}

/// A line's words, with one character for each number.
fn key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let is_roman = word.len() <= 6 && word.chars().all(|c| "ivxlc".contains(c));
        if is_roman || word.chars().all(|c| c.is_ascii_digit()) {
            key.push('#');
        } else {
            key.extend(word.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }));
        }
        key.push(' ');
    }
    key
}

fn rounded(at: f32) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "page coordinates")]
    let rounded = (at / 3.0).round() as i32;
    rounded
}
