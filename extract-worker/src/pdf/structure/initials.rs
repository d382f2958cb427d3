//! Large initials: the first letter of a text, over several lines.

use super::line::Line;

/// An initial is larger than the text by this factor.
const LARGER: f32 = 1.8;
/// The pairs of consonants that begin words.
const ONSETS: &str =
    " bl br ch cl cr dr dw fl fr gh gl gn gr kn ph pl pr ps rh sc sh sk sl sm sn sp sq st sw th tr tw wh wr ";

/// Whether a line is a large initial and the next one begins beside it with the rest of its word or sentence.
pub(super) fn is_initial(initial: &Line, line: &Line) -> bool {
    let mut letters = initial.text.trim().chars();
    let is_letter = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    let is_beside = line.place.left > initial.place.right - 0.3 * line.size
        && line.place.left < initial.place.right + 2.0 * line.size;
    is_letter
        && initial.size > LARGER * line.size
        && is_beside
        && initial.place.top < line.v
        && line.v < initial.v + 0.3 * line.size
        && line.text.starts_with(char::is_alphabetic)
}

/// A line with the initial before it.
pub(super) fn joined(initial: &Line, mut line: Line) -> Line {
    let letter = initial.text.trim();
    let is_word = matches!(letter, "A" | "I" | "O") && !continues_word(&line.text);
    line.text = [letter, if is_word { " " } else { "" }, &line.text].concat();
    line
}

/// Whether the first letters of a text are certainly not the beginning of a word: `nd` or `t`.
fn continues_word(text: &str) -> bool {
    let word = text.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
    let is_consonant = |c: char| !"aeiouyäöüáéíóúàèìòùâêîôû".contains(c);
    let first: String = word.chars().take(2).collect();
    let are_consonants = first.chars().all(is_consonant);
    are_consonants && (word.chars().count() <= 2 || !ONSETS.contains(&format!(" {first} ")))
}
