//! From the order in which a line is seen to the order in which it is read.
//!
//! A page shows glyphs; Hebrew and Arabic run from right to left among them, numbers and Latin words in
//! between from left to right. This undoes what the Unicode bidirectional algorithm did to show them.

use unicode_bidi::BidiClass;

/// How a glyph takes part in the direction of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Left,
    Right,
    Number,
    Neutral,
}

/// The direction of a glyph's characters.
pub(super) fn direction(text: &str) -> Direction {
    let mut direction = Direction::Neutral;
    for character in text.chars() {
        match unicode_bidi::bidi_class(character) {
            BidiClass::R | BidiClass::AL => return Direction::Right,
            BidiClass::L => return Direction::Left,
            BidiClass::EN | BidiClass::AN => direction = Direction::Number,
            _ => {}
        }
    }
    direction
}

/// Whether text is marks alone, which belong to a letter: Arabic vowels, for example.
pub(super) fn is_mark(text: &str) -> bool {
    let mark = |c| c >= '\u{300}' && unicode_bidi::bidi_class(c) == BidiClass::NSM;
    !text.is_empty() && text.chars().all(mark)
}

/// Whether text holds a character that runs from right to left.
pub(super) fn is_right_to_left(text: &str) -> bool {
    // Everything below U+0590 runs from left to right.
    text.chars()
        .any(|c| c >= '\u{590}' && matches!(unicode_bidi::bidi_class(c), BidiClass::R | BidiClass::AL))
}

/// The reading order of glyphs that are given from left to right.
pub(super) fn logical(seen: &[Direction]) -> Vec<usize> {
    let count = |of| seen.iter().filter(|direction| **direction == of).count();
    let mut order: Vec<usize> = (0..seen.len()).collect();
    if count(Direction::Right) >= count(Direction::Left) {
        order.reverse();
        let read: Vec<Direction> = order.iter().map(|index| seen[*index]).collect();
        reverse_runs(&mut order, &read, |direction| matches!(direction, Direction::Left | Direction::Number));
    } else {
        reverse_runs(&mut order, seen, |direction| direction == Direction::Right);
    }
    order
}

/// Reverses each longest run that starts and ends with `of`, neutral glyphs between them included.
fn reverse_runs(order: &mut [usize], directions: &[Direction], of: impl Fn(Direction) -> bool) {
    let mut at = 0;
    while at < directions.len() {
        if !of(directions[at]) {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        let mut ahead = end;
        while ahead < directions.len() && (of(directions[ahead]) || directions[ahead] == Direction::Neutral) {
            ahead += 1;
            if of(directions[ahead - 1]) {
                end = ahead;
            }
        }
        order[at..end].reverse();
        at = end;
    }
}
