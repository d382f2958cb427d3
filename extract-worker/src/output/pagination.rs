//! Splits a long text into pages, so that search results and prompts can refer to a place in a file that has
//! no pages.
//!
//! Invariant: the pages joined together are the text, without the form feeds that end pages.
//! Invariant: independent of file formats.

use crate::output::markup::Heading;
use dossier_extract::OutlineEntry;

/// The length of a page in bytes, if the file has no page breaks: about two printed pages.
const PAGE_BYTES: usize = 8 * 1024;
/// How long a page may become to avoid splitting a word, as a multiple of its usual length.
const PATIENCE: usize = 4;
/// The same to avoid splitting a record.
const RECORD_PATIENCE: usize = 32;

/// Where a text may be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Between words, preferably between paragraphs, lines or sentences; and at every form feed.
    BetweenWords,
    /// Only between lines, because a line is a record; a line longer than any record, between words.
    BetweenLines,
}

/// The pages of a text with their start positions. There are at most `most` pages: if necessary, pages become
/// longer.
pub(crate) fn pages(text: &str, cut: Cut, most: usize) -> impl Iterator<Item = (usize, &str)> {
    // Every page that does not end at a form feed is at least half full, so half of the pages are enough for
    // them.
    let form_feeds = text.bytes().filter(|byte| *byte == b'\x0c').count();
    let marked = cut == Cut::BetweenWords && form_feeds > 0 && form_feeds < most / 2;
    let length = PAGE_BYTES.max(text.len().saturating_mul(4) / most.max(1));
    let sections = text.strip_suffix('\x0c').unwrap_or(text).split(move |c| marked && c == '\x0c');
    let sections = sections.scan(0, |next, section| {
        let start = *next;
        *next += section.len() + 1;
        Some((start, section))
    });
    sections.flat_map(move |(start, section)| Chunks { start, rest: Some(section), cut, length })
}

/// Sets the page (from 1) of each heading, given the start positions of the pages. Headings come in text
/// order.
pub(crate) fn place(headings: Vec<Heading>, text: &str, starts: &[usize]) -> Vec<OutlineEntry> {
    let mut at = 0;
    let place = |heading: Heading| {
        at = heading.at.max(at);
        // Space before the heading may belong to the previous page.
        let rest = text.get(at..).unwrap_or_default();
        at += rest.len() - rest.trim_start().len();
        let page = starts.partition_point(|start| *start <= at);
        OutlineEntry { page: u32::try_from(page).ok(), ..heading.entry }
    };
    headings.into_iter().map(place).collect()
}

struct Chunks<'t> {
    /// Position of the rest in the text.
    start: usize,
    rest: Option<&'t str>,
    cut: Cut,
    length: usize,
}

impl<'t> Iterator for Chunks<'t> {
    type Item = (usize, &'t str);

    fn next(&mut self) -> Option<(usize, &'t str)> {
        let rest = self.rest?;
        let end = page_end(rest, self.cut, self.length);
        let (page, after) = rest.split_at(end);
        // Trailing blank space does not get a separate page.
        self.rest = (!after.trim().is_empty()).then_some(after);
        let start = self.start;
        self.start += end;
        Some((start, if self.rest.is_some() { page } else { rest }))
    }
}

/// The end of the first page: the best position in the second half of its length, or else the first one
/// after it.
fn page_end(text: &str, cut: Cut, length: usize) -> usize {
    if text.len() <= length {
        return text.len();
    }
    let middle = text.floor_char_boundary(length / 2);
    let end = text.floor_char_boundary(length);
    let half = &text[middle..end];
    let after = |mark: &str| half.rfind(mark).map(|at| middle + at + mark.len());
    if cut == Cut::BetweenLines {
        let near = &text.as_bytes()[end..text.len().min(length.saturating_mul(RECORD_PATIENCE))];
        let line_end = || memchr::memchr(b'\n', near).map(|at| end + at + 1);
        let is_last = end + near.len() == text.len();
        if let Some(end) = after("\n").or_else(line_end).or(is_last.then_some(text.len())) {
            return end;
        }
    }
    let late = text.floor_char_boundary(length.saturating_mul(PATIENCE));
    let first_blank = || text[end..late.max(end)].find(char::is_whitespace).map(|at| end + at + 1);
    ["\n\n", "\n", ". ", "。", " "]
        .into_iter()
        .find_map(after)
        .or_else(|| first_blank().map(|at| text.ceil_char_boundary(at)))
        .unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, cut: Cut, most: usize) -> Vec<&str> {
        let found: Vec<&str> = pages(text, cut, most)
            .map(|(start, page)| {
                assert!(text[start..].starts_with(page));
                page
            })
            .collect();
        assert!(found.len() <= most, "{} pages of {most}", found.len());
        found
    }

    #[test]
    fn a_short_text_is_one_page_and_no_text_is_an_empty_one() {
        assert_eq!(cut("short", Cut::BetweenWords, 10), ["short"]);
        assert_eq!(cut("", Cut::BetweenWords, 10), [""]);
        assert_eq!(cut("one\n\x0c\x0cthree\n\x0c", Cut::BetweenWords, 10), ["one\n", "", "three\n"]);
        assert_eq!(cut("a\x0cb", Cut::BetweenLines, 10), ["a\x0cb"]);
    }

    #[test]
    fn a_long_text_is_cut_at_its_best_places() {
        let paragraph = format!("{}.\n\n", "words and more words ".repeat(60));
        let text = paragraph.repeat(40);
        let found = cut(&text, Cut::BetweenWords, 10_000);
        assert_eq!(found.concat(), text);
        assert!(found.len() > 5);
        assert!(
            found.iter().all(|page| page.len() <= PAGE_BYTES * RECORD_PATIENCE && page.ends_with(".\n\n"))
        );
    }

    #[test]
    fn no_word_is_cut_unless_it_is_longer_than_any_word() {
        let words = "unbrokenline ".repeat(3000);
        assert!(cut(&words, Cut::BetweenWords, 100).iter().all(|page| page.ends_with("line ")));
        let word = "字".repeat(100_000);
        let found = cut(&word, Cut::BetweenWords, 100);
        assert_eq!(found.concat(), word);
        assert!(found.len() > 10);
    }

    #[test]
    fn no_record_is_cut_that_is_no_longer_than_records_are() {
        let text = format!("a b\n{}\nc d\n", "x y ".repeat(50_000));
        let found = cut(&text, Cut::BetweenLines, 100);
        assert_eq!(found.concat(), text);
        assert!(found.iter().all(|page| page.ends_with('\n')));

        let text = format!("a b\n{}\nc d\n", "x y ".repeat(500_000));
        let found = cut(&text, Cut::BetweenLines, 1000);
        assert_eq!(found.concat(), text);
        assert!(
            found
                .iter()
                .all(|page| page.len() <= PAGE_BYTES * RECORD_PATIENCE && page.ends_with([' ', '\n']))
        );
    }

    #[test]
    fn headings_are_on_the_page_that_their_words_are_on() {
        let heading = |at| Heading { entry: OutlineEntry { level: 1, title: String::new(), page: None }, at };
        let found = place(vec![heading(0), heading(3), heading(8), heading(90)], "one\n\ntwo", &[0, 5]);
        assert_eq!(
            found.iter().map(|entry| entry.page).collect::<Vec<_>>(),
            [Some(1), Some(2), Some(2), Some(2)]
        );
        let words = "\n\nchapter".repeat(3000);
        let starts: Vec<usize> = pages(&words, Cut::BetweenWords, 100).map(|(start, _)| start).collect();
        let headings = (0..3000).map(|index| heading(index * 9)).collect();
        let outline = place(headings, &words, &starts);
        for (index, entry) in outline.iter().enumerate() {
            let page = entry.page.unwrap() as usize;
            assert!(
                starts[page - 1] <= index * 9 + 2
                    && starts.get(page).is_none_or(|next| *next > index * 9 + 2)
            );
        }
    }

    #[test]
    fn pages_grow_rather_than_run_out() {
        let text = "line after line\n".repeat(100_000);
        for most in [1, 2, 3, 7, 50] {
            assert_eq!(cut(&text, Cut::BetweenWords, most).concat(), text);
            assert_eq!(cut(&text, Cut::BetweenLines, most).concat(), text);
        }
        cut(&"a\x0c".repeat(1000), Cut::BetweenWords, 100);
    }
}
