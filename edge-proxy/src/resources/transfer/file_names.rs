//! File names in an archive that every system can unpack, made from titles and document names.
//!
//! Invariant: a name is one component of a path, never empty, `.` or `..`, and at most [`MOST_BYTES`] long. It contains no
//! character that is special to Windows, macOS, Linux or a terminal. No two names of a folder differ only in case or in
//! Unicode composition, because macOS would treat them as one.

use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;

/// File systems allow 255. The number that makes a name unique is added to this.
const MOST_BYTES: usize = 200;
/// A longer ending counts as part of the name.
const MOST_ENDING_BYTES: usize = 20;

/// Device names of Windows, with any ending.
const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// `name` as a component of a path, composed (NFC). `fallback` if nothing of it is allowed.
pub(super) fn component(name: &str, fallback: &str) -> String {
    let plain: String = name.nfc().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let (stem, ending) = split(plain.trim().trim_end_matches(['.', ' ']));
    let stem = cut(stem, MOST_BYTES - ending.len()).trim_end();
    let plain = format!("{stem}{ending}");
    let base = plain.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    match plain.chars().next() {
        None => fallback.to_owned(),
        Some('.') => format!("_{}", &plain[1..]), // people do not expect hidden files
        Some(_) if RESERVED.contains(&base.as_str()) => format!("_{plain}"),
        Some(_) => plain,
    }
}

fn is_plain(c: char) -> bool {
    // Joiners (U+200C, U+200D) belong to the spelling of Persian and Indic names, and of emoji.
    let invisible = matches!(c, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !invisible && !matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
}

/// A name and its ending with the dot.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= MOST_ENDING_BYTES => name.split_at(dot),
        _ => (name, ""),
    }
}

/// The name as a case-insensitive file system compares it. It passes through both cases: otherwise `ß` and `SS`, or `ς`
/// and `σ`, would differ. Joiners and variation selectors do not count: names that differ in them alone look the same.
fn folded(name: &str) -> String {
    let seen = |c: &char| !matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}');
    name.to_lowercase().to_uppercase().nfc().filter(seen).collect()
}

/// At most `most` bytes, whole characters.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// The names of one folder.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// By folded name: the number that the next duplicate tries.
    taken: HashMap<String, u32>,
}

impl Folder {
    /// `name`, with a number if the folder already has one like it.
    pub(super) fn add(&mut self, name: &str) -> String {
        let (stem, ending) = split(name);
        let mut unique = name.to_owned();
        while self.taken.contains_key(&folded(&unique)) {
            let number = self.taken.entry(folded(name)).or_insert(1);
            *number += 1;
            unique = format!("{stem} ({number}){ending}");
        }
        self.taken.insert(folded(&unique), 1);
        unique
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_become_harmless() {
        for (name, expected) in [
            ("report.pdf", "report.pdf"),
            ("naïve 文書.pdf", "naïve 文書.pdf"),
            ("../../etc/passwd", "_._.._etc_passwd"),
            ("..", "x"),
            (" . ", "x"),
            ("", "x"),
            ("a/b\\c:d", "a_b_c_d"),
            ("C:\\Windows", "C__Windows"),
            ("tab\there\u{7}\u{1b}[31m", "tab_here__[31m"),
            ("exe\u{202e}fdp.txt", "exe_fdp.txt"),
            ("CON", "_CON"),
            ("nul.tar.gz", "_nul.tar.gz"),
            ("Lpt1 .txt", "_Lpt1.txt"),
            ("console.txt", "console.txt"),
            ("trailing. . ", "trailing"),
            (".htaccess", "_htaccess"),
            ("می\u{200c}خواهم.pdf", "می\u{200c}خواهم.pdf"),
            ("\u{1f469}\u{200d}\u{1f4bb}.txt", "\u{1f469}\u{200d}\u{1f4bb}.txt"),
            ("a\u{200b}\u{feff}b.txt", "a__b.txt"),
            ("re\u{301}sume\u{301}.txt", "r\u{e9}sum\u{e9}.txt"),
        ] {
            assert_eq!(component(name, "x"), expected, "{name:?}");
        }
    }

    #[test]
    fn long_names_keep_their_ending_and_whole_characters() {
        for stem in ["é".repeat(300), "x".repeat(400), "語".repeat(255)] {
            let short = component(&format!("{stem}.pdf"), "x");
            assert!(short.len() <= MOST_BYTES && short.strip_suffix(".pdf").is_some(), "{short}");
        }
        assert!(component(&format!("a.{}", "y".repeat(300)), "x").len() <= MOST_BYTES);
    }

    #[test]
    fn no_two_names_of_a_folder_are_alike() {
        let mut folder = Folder::default();
        let names = ["a.txt", "A.TXT", "a (2).txt", "a.txt", "b", "b", "b"].map(|name| folder.add(name));
        assert_eq!(
            names,
            ["a.txt", "A (2).TXT", "a (2) (2).txt", "a (3).txt", "b", "b (2)", "b (3)"].map(str::to_owned)
        );
        for alike in [
            ["\u{e9}", "E\u{301}"],
            ["\u{130}", "i\u{307}"],
            ["Maß", "MASS"],
            ["οδος", "ΟΔΟΣ"],
            ["آرزو\u{200c}ها", "آرزوها"],
            ["\u{2764}\u{fe0f}", "\u{2764}"],
        ] {
            let mut folder = Folder::default();
            let names = alike.map(|name| folder.add(name));
            assert_eq!(names, [alike[0].to_owned(), format!("{} (2)", alike[1])]);
        }
    }
}
