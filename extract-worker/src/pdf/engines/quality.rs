//! Rates the reading of a page, and explains the rating.
//!
//! Invariant: independent of engines; a reading is judged by its text and by what the page shows.

use super::engine::Reading;
use crate::pdf::plausible;
use crate::pdf::unicode::is_private;

/// Above this share of broken characters, other engines are tried.
const MOST_BROKEN: f32 = 0.1;
/// If an image covers half of the page and there are fewer letters than this (a stamp on a scan, a fax
/// header), the page has hardly any text.
const FEW_LETTERS: f32 = 50.0;
const MUCH_OF_A_PAGE: f32 = 0.5;
/// On a page without letters, a smaller image may contain the text.
const SOME_OF_A_PAGE: f32 = 0.1;

/// At least this many shapes are words, not a logo.
const MANY_OUTLINES: usize = 40;

/// The rating of a reading.
#[derive(Debug, Clone, Copy)]
pub(in crate::pdf) struct Quality {
    /// Number of non-blank characters.
    letters: usize,
    /// Share of undecodable and private-use characters.
    broken: f32,
    /// See [`scattered`]; 0 if words come from glyph positions, because then the page shows them so.
    scattered: f32,
    /// Share of letters in lines that are not language.
    nonsense: f32,
    /// Whether there are glyphs; `None` if the engine cannot tell.
    glyphs: Option<bool>,
    images: f32,
    /// Number of letters that are not just stamped on the page; all of them if the engine cannot tell.
    own_letters: usize,
    /// Number of shapes that are arranged like letters in words.
    outlines: usize,
}

impl Quality {
    pub(in crate::pdf) fn of(reading: &Reading) -> Self {
        let glyphs = reading.seen.map(|seen| seen.glyphs);
        let is_broken = |c: char| is_broken(c) || (glyphs.is_none() && is_odd(c));
        let (mut letters, mut broken) = (0_usize, 0_usize);
        for character in reading.text.chars().filter(|character| !character.is_whitespace()) {
            letters += 1;
            let is_plain = character.is_ascii() && !character.is_ascii_control();
            broken += usize::from(!is_plain && is_broken(character));
        }
        Self {
            letters,
            broken: broken as f32 / letters.max(1) as f32,
            nonsense: plausible::nonsense(&reading.text),
            own_letters: reading.seen.map_or(letters, |seen| seen.letters),
            outlines: reading.seen.map_or(0, |seen| seen.outlines),
            scattered: if glyphs.is_none() { scattered(&reading.text) } else { 0.0 },
            glyphs,
            images: reading.seen.map_or(0.0, |seen| seen.images),
        }
    }

    /// From 0 (no text) to 1 (flawless). Broken characters and garbled words reduce the score.
    pub(in crate::pdf) fn score(&self) -> f32 {
        if self.letters == 0 {
            return 0.0;
        }
        let readable = (1.0 - self.broken).max(0.0) * (1.0 - self.nonsense);
        readable * if self.scattered > 0.5 { 1.0 - self.scattered / 2.0 } else { 1.0 }
    }

    /// Whether this reading is better than another: it looks better, and not just because it omits the bad
    /// parts.
    pub(in crate::pdf) fn beats(&self, other: &Self) -> bool {
        self.score() > other.score() && self.readable() >= 0.8 * other.readable()
    }

    fn readable(&self) -> f32 {
        self.letters as f32 * (1.0 - self.broken)
    }

    /// The same for letters that are not just stamped on the page.
    fn own(&self) -> f32 {
        self.own_letters.min(self.letters) as f32 * (1.0 - self.broken)
    }

    /// Whether there is no text.
    pub(in crate::pdf) fn is_empty(&self) -> bool {
        self.letters == 0
    }

    /// Whether the reading is good enough: it looks good, or there is no text on the page.
    pub(in crate::pdf) fn is_good(&self) -> bool {
        self.glyphs == Some(false) || self.score() >= 1.0 - MOST_BROKEN
    }

    /// Whether the page needs OCR.
    pub(in crate::pdf) fn needs_ocr(&self) -> bool {
        self.is_an_image() || self.is_drawn() || (self.glyphs == Some(true) && self.score() < 0.5)
    }

    fn is_an_image(&self) -> bool {
        self.images >= MUCH_OF_A_PAGE && self.own() < FEW_LETTERS
            || self.images >= SOME_OF_A_PAGE && self.is_empty()
    }

    /// Whether most of the page's words are drawn as shapes.
    fn is_drawn(&self) -> bool {
        self.outlines >= MANY_OUTLINES && 3 * self.letters < self.outlines
    }

    /// A short explanation for people.
    pub(in crate::pdf) fn says(&self) -> String {
        let percent = |share: f32| format!("{:.0} %", share * 100.0);
        if self.is_an_image() && self.is_empty() {
            format!("an image covers {} of the page, and there is no text", percent(self.images))
        } else if self.is_an_image() {
            format!("an image covers {} of the page, and there is hardly any text", percent(self.images))
        } else if self.is_drawn() {
            "most words of the page are drawn as shapes".to_owned()
        } else if self.glyphs == Some(false) {
            "the page has no text".to_owned()
        } else if self.is_empty() {
            "no text found".to_owned()
        } else if self.broken > MOST_BROKEN {
            format!("{} of the characters cannot be decoded", percent(self.broken))
        } else if self.nonsense > MOST_BROKEN {
            format!(
                "{} of the letters form no words of any language, so the fonts' maps are wrong",
                percent(self.nonsense)
            )
        } else if self.is_good() {
            "the text looks good".to_owned()
        } else {
            format!("{} of the words look garbled", percent(self.scattered))
        }
    }
}

/// The share of words that are a single letter or unpronounceable.
fn scattered(text: &str) -> f32 {
    let (mut words, mut odd) = (0_usize, 0_usize);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let is_latin = word.chars().all(|letter| letter.is_alphabetic() && letter < '\u{2e80}');
        let has_vowel = word.chars().any(|letter| !letter.is_ascii() || is_vowel(letter));
        words += 1;
        odd += usize::from(is_latin && (length == 1 || (length > 3 && !has_vowel)));
    }
    if words < 8 { 0.0 } else { odd as f32 / words as f32 }
}

/// Whether a character is undecodable, or known only to its font.
fn is_broken(character: char) -> bool {
    is_private(character) || character == char::REPLACEMENT_CHARACTER
}

/// Whether a character looks like an undecoded code shown as Latin-1.
fn is_odd(character: char) -> bool {
    character.is_control() || matches!(character, '\u{a1}'..='\u{bf}' | '×' | '÷' | '\u{2b0}'..='\u{2ff}')
}

fn is_vowel(letter: char) -> bool {
    matches!(letter.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}
