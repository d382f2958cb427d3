//! Converts the visual order of a line to logical order.
//!
//! On a page, Hebrew and Arabic run from right to left, with numbers and Latin words from left to right in
//! between. This reverses the Unicode bidirectional algorithm (UAX #9).

use unicode_bidi::BidiClass;

/// The role of a glyph in the direction of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pdf) enum Direction {
    Left,
    Right,
    /// Right-to-left as well, but signs do not join numbers that follow it.
    Arabic,
    Number,
    /// A point or slash: part of a number if it stands between two digits.
    Separator,
    /// A percent or plus sign: part of the adjacent number.
    Sign,
    Neutral,
}

/// The position of a glyph in a line, and its direction there.
#[derive(Debug, Clone, Copy)]
pub(in crate::pdf) struct Read {
    pub(in crate::pdf) index: usize,
    /// Embedding level: 1 is right-to-left; 2 is a number or Latin word inside it.
    level: u8,
}

impl Read {
    pub(in crate::pdf) fn is_right_to_left(self) -> bool {
        self.level == 1
    }
}

/// The direction of a glyph's characters.
pub(in crate::pdf) fn direction(text: &str) -> Direction {
    let mut direction = Direction::Neutral;
    for character in text.chars() {
        match unicode_bidi::bidi_class(character) {
            BidiClass::R => return Direction::Right,
            BidiClass::AL => return Direction::Arabic,
            BidiClass::L => return Direction::Left,
            BidiClass::EN | BidiClass::AN => direction = Direction::Number,
            BidiClass::CS if direction == Direction::Neutral => direction = Direction::Separator,
            BidiClass::ES | BidiClass::ET if direction == Direction::Neutral => direction = Direction::Sign,
            _ => {}
        }
    }
    direction
}

/// The logical order of glyphs that are given from left to right.
pub(in crate::pdf) fn logical(seen: &[Direction]) -> Vec<Read> {
    let levels = levels(seen).into_iter().enumerate();
    let mut order: Vec<Read> = levels.map(|(index, level)| Read { index, level }).collect();
    for level in [1, 2] {
        let runs = order.chunk_by_mut(|a, b| (a.level >= level) == (b.level >= level));
        runs.filter(|run| run[0].level >= level).for_each(<[Read]>::reverse);
    }
    order
}

/// The embedding level of each glyph.
fn levels(seen: &[Direction]) -> Vec<u8> {
    let is_right = |d: &Direction| matches!(d, Direction::Right | Direction::Arabic);
    let is_left = |d: &Direction| *d == Direction::Left;
    let mut levels;
    if seen.iter().filter(|d| is_right(d)).count() >= seen.iter().filter(|d| is_left(d)).count() {
        levels = vec![1; seen.len()];
        raise(&mut levels, 2, seen, is_right, |stretch| {
            let of = |d: &Direction| is_left(d) || *d == Direction::Number;
            stretch.iter().any(is_left).then(|| ends(stretch, of)).flatten()
        });
    } else {
        levels = vec![0; seen.len()];
        raise(&mut levels, 1, seen, is_left, |stretch| ends(stretch, is_right));
    }
    raise_numbers(&mut levels, seen);
    levels
}

/// Sets the level of the part that `part` finds in each stretch between stopping glyphs.
fn raise(
    levels: &mut [u8],
    level: u8,
    seen: &[Direction],
    stops: impl Fn(&Direction) -> bool,
    part: impl Fn(&[Direction]) -> Option<(usize, usize)>,
) {
    let mut at = 0;
    for stretch in seen.split(stops) {
        if let Some((first, last)) = part(stretch) {
            levels[at + first..=at + last].fill(level);
        }
        at += stretch.len() + 1;
    }
}

/// The first and last glyph of a kind.
fn ends(stretch: &[Direction], of: impl Fn(&Direction) -> bool) -> Option<(usize, usize)> {
    Some((stretch.iter().position(&of)?, stretch.iter().rposition(&of)?))
}

/// Numbers inside right-to-left text are read from left to right, each on its own.
fn raise_numbers(levels: &mut [u8], seen: &[Direction]) {
    let is_number = |at: usize| seen.get(at) == Some(&Direction::Number);
    let clings = !seen.contains(&Direction::Arabic);
    let is_sign = |at: usize| clings && seen.get(at) == Some(&Direction::Sign);
    for at in 0..seen.len() {
        let joins = match seen[at] {
            Direction::Number => true,
            Direction::Separator => at > 0 && is_number(at - 1) && is_number(at + 1),
            _ => is_sign(at) && (is_number(at + 1) || at > 0 && is_number(at - 1)),
        };
        if joins && levels[at] == 1 {
            levels[at] = 2;
        }
    }
}

/// Pairs of opening and closing brackets.
const BRACKETS: [char; 10] = ['(', ')', '[', ']', '{', '}', '«', '»', '‹', '›'];

/// The mirror image of a bracket.
pub(in crate::pdf) fn mirrored(bracket: char) -> Option<char> {
    let at = BRACKETS.iter().position(|known| *known == bracket)?;
    Some(BRACKETS[at ^ 1])
}

/// Whether the brackets of right-to-left text are encoded by appearance: in reading order, the first one
/// closes a pair that was not opened, and is opened later.
pub(in crate::pdf) fn are_by_looks(mut brackets: impl Iterator<Item = char>) -> bool {
    let Some(first) = brackets.next() else { return false };
    let closes = BRACKETS.iter().skip(1).step_by(2).any(|closing| *closing == first);
    closes && brackets.any(|later| Some(later) == mirrored(first))
}
