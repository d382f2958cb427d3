//! The outline of a document, as evidence for its headings: a line that has the text of a bookmark that points to its page is
//! a heading.
//!
//! Bookmarks that point elsewhere, or say something else than the page, have no effect.

use dossier_extract::OutlineEntry;
use std::collections::HashMap;

/// Longer texts are not headings, in bytes.
const LONGEST: usize = 600;

/// Bookmarks by page (from 1): their words and their level.
#[derive(Debug, Default)]
pub(super) struct Outline(HashMap<u32, Vec<(String, u8)>>);

impl Outline {
    pub(super) fn of(entries: &[OutlineEntry]) -> Self {
        let mut by_page: HashMap<u32, Vec<(String, u8)>> = HashMap::new();
        for entry in entries {
            let words = words(&entry.title);
            if let (Some(page), false) = (entry.page, words.is_empty()) {
                by_page.entry(page).or_default().push((words, entry.level.clamp(1, 6)));
            }
        }
        Self(by_page)
    }

    /// The level of the bookmark of a page that has this text, with or without the number of the section.
    pub(super) fn level(&self, page: u32, text: &str) -> Option<u8> {
        let bookmarks = self.0.get(&page)?;
        if text.len() > LONGEST {
            return None;
        }
        // Only the number may be missing: `{sample}` is not the heading `1.8 sample`.
        let bare = without_number(text);
        let bare = if bare.starts_with(char::is_alphanumeric) { words(bare) } else { String::new() };
        let full = words(text);
        let has = |title: &str| {
            title == full || (!bare.is_empty() && (title == bare || without_digits(title) == bare))
        };
        bookmarks.iter().find(|(title, _)| has(title)).map(|(_, level)| *level)
    }
}

/// Letters and digits, without the spaces and punctuation in which a title and its bookmark may differ.
fn words(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn without_digits(title: &str) -> &str {
    title.trim_start_matches(|c: char| c.is_ascii_digit())
}

/// The text after a section number: `Methods` of `3.2 Methods`.
fn without_number(text: &str) -> &str {
    let text = text.trim();
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_number = first.starts_with(|c: char| c.is_ascii_digit())
        && first.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ')');
    if is_number { text[first.len()..].trim_start() } else { text }
}
