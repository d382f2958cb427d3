//! What an RTF file says before its text: code pages, fonts, styles, and who wrote it.

use super::charset;
use super::state::Field;
use dossier_extract::Metadata;
use encoding_rs::{Encoding, WINDOWS_1252};
use std::collections::HashMap;

/// As many fonts and styles as are kept in mind; Word's own limit is lower.
const MOST_DEFINITIONS: usize = 65_536;

/// The tables that the text refers to, and the document's information.
pub(super) struct Info {
    encoding: &'static Encoding,
    default_font: i32,
    fonts: HashMap<i32, &'static Encoding>,
    /// The style numbers that are headings, and their level.
    headings: HashMap<i32, u8>,
    /// The font or style that is being defined.
    defined: i32,
    /// Year, month, day, hour, minute, second.
    time: [i32; 6],
    pub(super) metadata: Metadata,
}

impl Info {
    pub(super) fn new() -> Self {
        Self {
            encoding: WINDOWS_1252,
            default_font: 0,
            fonts: HashMap::new(),
            headings: HashMap::new(),
            defined: 0,
            time: [0; 6],
            metadata: Metadata::default(),
        }
    }

    /// The document's code page; an unknown one changes nothing.
    pub(super) fn set_code_page(&mut self, number: i32) -> &'static Encoding {
        self.encoding = charset::of_code_page(number).unwrap_or(self.encoding);
        self.encoding
    }

    pub(super) fn set_default_font(&mut self, font: i32) {
        self.default_font = font;
    }

    pub(super) fn default_font(&self) -> &'static Encoding {
        self.font(self.default_font)
    }

    /// What bytes mean in a font.
    pub(super) fn font(&self, font: i32) -> &'static Encoding {
        self.fonts.get(&font).copied().unwrap_or(self.encoding)
    }

    /// The font or style that the next facts are about.
    pub(super) fn define(&mut self, number: i32) {
        self.defined = number;
    }

    pub(super) fn set_font(&mut self, encoding: Option<&'static Encoding>) {
        if let Some(encoding) = encoding
            && self.fonts.len() < MOST_DEFINITIONS
        {
            self.fonts.insert(self.defined, encoding);
        }
    }

    /// A style's name says whether it is a heading's. Word writes it in English, whatever its own language.
    pub(super) fn name_style(&mut self, name: &str) {
        let name = name.trim().to_ascii_lowercase();
        let level = match name.strip_prefix("heading ") {
            Some(level) => level.parse().ok().filter(|level| (1..=9).contains(level)),
            None => (name == "title").then_some(1),
        };
        if let Some(level) = level
            && self.headings.len() < MOST_DEFINITIONS
        {
            self.headings.insert(self.defined, level);
        }
    }

    /// The heading's level of a style, or 0.
    pub(super) fn heading(&self, style: i32) -> u8 {
        self.headings.get(&style).copied().unwrap_or_default()
    }

    /// One part of the time that is being told; `false` when the word is none.
    pub(super) fn set_time(&mut self, word: &str, number: i32) -> bool {
        let parts = ["yr", "mo", "dy", "hr", "min", "sec"];
        match parts.iter().position(|part| *part == word) {
            Some(part) => self.time[part] = number,
            None => return false,
        }
        true
    }

    /// A value has been read to its end.
    pub(super) fn set(&mut self, field: Field, value: &str) {
        let time = std::mem::take(&mut self.time);
        let value = value.trim().trim_end_matches(';');
        let text = || (!value.is_empty()).then(|| value.to_owned());
        let metadata = &mut self.metadata;
        match field {
            Field::Title => metadata.title = text(),
            Field::Subject => metadata.subject = text(),
            Field::Author => metadata.author = text(),
            Field::Keywords => metadata.keywords = text(),
            Field::Producer => metadata.producer = text(),
            Field::Created => metadata.created = rfc3339(time),
            Field::Modified => metadata.modified = rfc3339(time),
        }
    }
}

fn rfc3339([year, month, day, hour, minute, second]: [i32; 6]) -> Option<String> {
    let is_time = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    is_time.then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}
