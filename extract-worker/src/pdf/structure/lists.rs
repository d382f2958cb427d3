//! Markers of list items and footnotes.

/// Characters that mark items.
const BULLETS: &str = "•◦▪▫■□●○◆◇►▶➢➤⮚➔→✓✔❖‣⁃∙·\u{f0b7}\u{f0a7}\u{f0d8}\u{f076}";
/// Characters that mark items and also have other uses.
const DASHES: &str = "-–—*o";

/// Splits the marker from the rest of an item.
pub(super) fn marker(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace)?;
    let (marker, rest) = text.split_at(end);
    let rest = rest.trim_start();
    (!rest.is_empty() && (is_bullet(marker) || is_number(marker))).then_some((marker, rest))
}

/// Whether a word is a bullet.
pub(super) fn is_bullet(word: &str) -> bool {
    let mut characters = word.chars();
    let (Some(first), None) = (characters.next(), characters.next()) else { return false };
    BULLETS.contains(first) || DASHES.contains(first)
}

/// Whether a word is the number of an item: `3.`, `b)`, `(iv)`.
pub(super) fn is_number(word: &str) -> bool {
    let inner = word.strip_prefix('(').unwrap_or(word);
    let Some(inner) = inner.strip_suffix(['.', ')']) else { return false };
    let is_roman = |word: &str| word.len() <= 5 && word.chars().all(|c| "ivxIVX".contains(c));
    let is_letter = |word: &str| word.len() == 1 && word.chars().all(|c| c.is_ascii_alphabetic());
    let is_digits = |word: &str| word.len() <= 3 && word.chars().all(|c| c.is_ascii_digit());
    !inner.is_empty() && (is_digits(inner) || is_letter(inner) || is_roman(inner))
}

/// Whether a text begins with a footnote mark: a number without a full stop, an asterisk or a dagger.
pub(super) fn is_note(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_number = first.len() <= 3 && !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
    is_number || first.starts_with(['*', '†', '‡', '§'])
}
