//! The characters of text that a worker may send.

/// Whether a page may contain `character`: no control characters except `\n`, `\t` and `\f`.
#[must_use]
pub fn is_clean(character: char) -> bool {
    matches!(character, '\n' | '\t' | '\x0c') || !character.is_control()
}
