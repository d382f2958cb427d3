//! The header of an RTF file: code pages, fonts, styles and metadata.

use super::charset;
use super::state::Field;
use crate::input::charset::Charset;
use dossier_extract::Metadata;
use encoding_rs::WINDOWS_1252;
use std::collections::HashMap;

/// Maximum number of fonts and styles that are kept; Word's own limit is lower.
const MOST_DEFINITIONS: usize = 65_536;

/// The font and style tables, and the document's metadata.
pub(super) struct Info {
    encoding: Charset,
    default_font: i32,
    fonts: HashMap<i32, Charset>,
    /// Style numbers of headings, with their levels.
    headings: HashMap<i32, u8>,
    /// The font or style being defined.
    defined: i32,
    /// Year, month, day, hour, minute, second.
    time: [i32; 6],
    pub(super) metadata: Metadata,
}

impl Info {
    pub(super) fn new() -> Self {
        Self {
            encoding: Charset::Web(WINDOWS_1252),
            default_font: 0,
            fonts: HashMap::new(),
            headings: HashMap::new(),
            defined: 0,
            time: [0; 6],
            metadata: Metadata::default(),
        }
    }

    /// Sets the document's code page; an unknown one is ignored.
    pub(super) fn set_code_page(&mut self, number: i32) -> Charset {
        self.encoding = charset::of_code_page(number).unwrap_or(self.encoding);
        self.encoding
    }

    pub(super) fn set_default_font(&mut self, font: i32) {
        self.default_font = font;
    }

    pub(super) fn default_font(&self) -> Charset {
        self.font(self.default_font)
    }

    /// The charset of a font.
    pub(super) fn font(&self, font: i32) -> Charset {
        self.fonts.get(&font).copied().unwrap_or(self.encoding)
    }

    /// Starts the definition of a font or style.
    pub(super) fn define(&mut self, number: i32) {
        self.defined = number;
    }

    pub(super) fn set_font(&mut self, encoding: Option<Charset>) {
        if let Some(encoding) = encoding
            && self.fonts.len() < MOST_DEFINITIONS
        {
            self.fonts.insert(self.defined, encoding);
        }
    }

    /// Recognises heading styles by name. Word writes the name in English, whatever its interface language.
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

    /// The heading level of a style, or 0.
    pub(super) fn heading(&self, style: i32) -> u8 {
        self.headings.get(&style).copied().unwrap_or_default()
    }

    /// Sets one part of the current time; `false` if the word is not a part of a time.
    pub(super) fn set_time(&mut self, word: &str, number: i32) -> bool {
        let parts = ["yr", "mo", "dy", "hr", "min", "sec"];
        match parts.iter().position(|part| *part == word) {
            Some(part) => self.time[part] = number,
            None => return false,
        }
        true
    }

    /// Stores a complete value.
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
