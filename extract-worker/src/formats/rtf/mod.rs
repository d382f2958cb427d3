//! Rich Text Format: a stream of groups, control words and bytes, read in one pass.
//!
//! Headers come first, then the body with its text boxes, then notes, comments and footers. Text that is not
//! visible in the document is omitted: hidden and deleted text, field instructions, pictures.
//!
//! Invariant: no recursion over groups, and a bounded stack; groups beyond it share the state of the deepest
//! one. The output grows linearly with the input.

mod charset;
mod destinations;
mod info;
mod state;
mod token;

use crate::input::charset::Charset;
use crate::output::reply::Pages;
use destinations::Destinations;
use dossier_extract::TextFormat;
use dossier_extract::protocol::Failure;
use encoding_rs::WINDOWS_1252;
use info::Info;
use state::{Destination, Paragraph, State, Target, character, destination, is_worth_reading};
use std::io::Write;
use token::{Token, Tokens};

/// Groups nested deeper than this have no state of their own.
const DEEPEST_GROUP: usize = 1000;
/// Maximum number of fallback characters after `\u`.
const LONGEST_FALLBACK: u16 = 64;

/// Sends the text.
pub(crate) fn read<W: Write>(bytes: &[u8], format: TextFormat, pages: &mut Pages<W>) -> Result<(), Failure> {
    if !is_rtf(bytes) {
        return Err(Failure::Malformed { reason: "it does not start with an RTF header".to_owned() });
    }
    let reader = Reader::read(bytes, format);
    pages.metadata = reader.info.metadata;
    let (text, headings) = reader.destinations.finish();
    pages.push_headed("rtf", &text, headings)
}

/// The text alone, of a document that is part of another one.
pub(crate) fn text_of(bytes: &[u8], format: TextFormat) -> String {
    Reader::read(bytes, format).destinations.finish().0
}

/// Whether bytes start with an RTF header.
pub(crate) fn is_rtf(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{\\rtf")
}

struct Reader {
    state: State,
    groups: Vec<State>,
    /// Number of open groups beyond the stack limit.
    deeper: usize,
    /// A group has just begun, so the next control word may name its destination.
    at_start: bool,
    /// Readers may ignore this group if they do not know it (`\*`).
    is_optional: bool,
    /// Number of fallback characters still to skip after `\u`.
    pass_over: u16,
    /// The first half of a surrogate pair.
    surrogate: Option<u16>,
    /// Bytes whose last character may be incomplete.
    bytes: Vec<u8>,
    /// The marker, value or name being read.
    value: String,
    info: Info,
    /// Whether the open paragraph has contained hidden text.
    has_hidden: bool,
    destinations: Destinations,
}

impl Reader {
    fn read(bytes: &[u8], format: TextFormat) -> Self {
        let mut reader = Self::new(format);
        Tokens::of(bytes).for_each(|token| reader.token(token));
        reader.flush();
        reader
    }

    fn new(format: TextFormat) -> Self {
        let state = State {
            target: Target::Text(Destination::Body),
            encoding: Charset::Web(WINDOWS_1252),
            fallback: 1,
            is_hidden: false,
            is_deleted: false,
            paragraph: Paragraph::default(),
        };
        Self {
            state,
            groups: Vec::new(),
            deeper: 0,
            at_start: false,
            is_optional: false,
            pass_over: 0,
            surrogate: None,
            bytes: Vec::new(),
            value: String::new(),
            info: Info::new(),
            has_hidden: false,
            destinations: Destinations::new(format),
        }
    }

    fn token(&mut self, token: Token<'_>) {
        if let Token::Text([]) = token {
            return;
        }
        let at_start = std::mem::take(&mut self.at_start);
        match token {
            Token::Open => self.open(),
            Token::Close => self.close(),
            Token::Text(text) => self.raw(text),
            Token::Hex(byte) => self.raw(&[byte]),
            Token::Symbol(b'*') if at_start => {
                self.is_optional = true;
                self.at_start = true;
            }
            Token::Word(word, number) => self.control(word, number, at_start),
            Token::Symbol(_) | Token::Binary if self.pass_over > 0 => self.pass_over -= 1,
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Binary => {}
        }
    }

    fn open(&mut self) {
        self.flush();
        self.pass_over = 0;
        if self.groups.len() < DEEPEST_GROUP {
            self.groups.push(self.state);
        } else {
            self.deeper += 1;
        }
        self.at_start = true;
        self.is_optional = false;
    }

    fn close(&mut self) {
        self.flush();
        self.pass_over = 0;
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        // Ignore an unmatched closing brace.
        let Some(outer) = self.groups.pop() else { return };
        let inner = std::mem::replace(&mut self.state, outer);
        if inner.target != outer.target {
            self.end_target(inner.target);
        }
    }

    /// Collects bytes of the document, because one character may take several.
    fn raw(&mut self, bytes: &[u8]) {
        let passed = bytes.len().min(usize::from(self.pass_over));
        self.pass_over -= u16::try_from(passed).unwrap_or(self.pass_over);
        let bytes = &bytes[passed..];
        if !bytes.is_empty() && !matches!(self.state.target, Target::Skip | Target::Silent) {
            self.surrogate = None;
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Decodes and writes the bytes collected so far.
    fn flush(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        // RTF does not allow UTF-8, but some writers use it anyway.
        match std::str::from_utf8(&bytes) {
            Ok(text) if self.state.encoding.is_single_byte() || text.is_ascii() => self.say(text),
            _ => self.say(&self.state.encoding.decode(&bytes)),
        }
        self.bytes = bytes;
        self.bytes.clear();
    }

    fn say(&mut self, text: &str) {
        match self.state.target {
            Target::Text(_) if self.state.is_unseen() => self.has_hidden |= !text.trim().is_empty(),
            Target::Text(destination) => self.destinations.say(destination, self.state.paragraph, text),
            Target::Marker | Target::Info(_) => self.value.push_str(text),
            Target::Styles => self.name_styles(text),
            Target::Fonts | Target::Silent | Target::Skip => {}
        }
    }

    /// A style's name ends with a semicolon.
    fn name_styles(&mut self, text: &str) {
        let mut parts = text.split(';');
        self.value.push_str(parts.next().unwrap_or_default());
        for part in parts {
            self.info.name_style(&self.value);
            self.value.clear();
            self.value.push_str(part);
        }
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            // An escaped byte may be the second half of a character.
            b'{' | b'}' | b'\\' => self.raw(&[symbol]),
            b'~' => self.raw(b" "),
            b'_' => self.raw(b"-"),
            b'\t' => self.raw(b"\t"),
            b'\r' | b'\n' => {
                self.flush();
                self.structure("par");
            }
            _ => {}
        }
    }

    fn control(&mut self, word: &str, number: Option<i32>, at_start: bool) {
        self.flush();
        if word != "u" && self.pass_over > 0 {
            self.pass_over -= 1;
            return;
        }
        if self.state.target == Target::Skip || (at_start && self.starts_destination(word)) {
            return;
        }
        let on = number != Some(0);
        let number = number.unwrap_or_default();
        let state = &mut self.state;
        match word {
            "u" => self.unicode(number),
            "uc" => state.fallback = u16::try_from(number).unwrap_or(1).min(LONGEST_FALLBACK),
            "v" => state.is_hidden = on,
            "deleted" => state.is_deleted = on,
            "plain" => {
                state.is_hidden = false;
                state.is_deleted = false;
                state.encoding = self.info.default_font();
            }
            "ansicpg" => state.encoding = self.info.set_code_page(number),
            "mac" => state.encoding = self.info.set_code_page(charset::MACINTOSH),
            "pc" => state.encoding = self.info.set_code_page(charset::PC),
            "pca" => state.encoding = self.info.set_code_page(charset::PS2),
            "deff" => self.info.set_default_font(number),
            "f" if state.target == Target::Fonts => self.info.define(number),
            "f" => state.encoding = self.info.font(number),
            "fcharset" => self.info.set_font(charset::of_font(number)),
            "cpg" => self.info.set_font(charset::of_code_page(number)),
            "s" if state.target == Target::Styles => self.info.define(number),
            "s" => state.paragraph.heading = self.info.heading(number),
            "outlinelevel" => state.paragraph.heading = heading(number),
            "pard" => state.paragraph = Paragraph::default(),
            "ilvl" => state.paragraph.level = u8::try_from(number).unwrap_or_default().min(8),
            "intbl" => state.paragraph.in_table = on,
            _ => match character(word) {
                Some(character) => self.say(character),
                None if self.info.set_time(word, number) => {}
                None => self.structure(word),
            },
        }
    }

    /// Ends lines, cells and pages, but only in visible text.
    fn structure(&mut self, word: &str) {
        let Target::Text(destination) = self.state.target else { return };
        let is_seen = !self.state.is_unseen() || word == "row";
        if word == "par" && !self.state.is_deleted {
            let has_hidden = std::mem::take(&mut self.has_hidden);
            // A paragraph that contains only hidden text does not exist for the reader. Others remain separate.
            if (has_hidden || !is_seen) && !self.destinations.has_open_line(destination) {
                self.destinations.marker = None;
                return;
            }
        } else if !is_seen {
            return;
        }
        self.destinations.structure(destination, self.state.paragraph, word);
    }

    /// Handles a UTF-16 unit. RTF numbers have 16 bits, so units above 32767 are negative.
    fn unicode(&mut self, number: i32) {
        self.pass_over = self.state.fallback;
        let number = if number < 0 { number + 0x1_0000 } else { number };
        let unit = u16::try_from(number).unwrap_or_default();
        let first = self.surrogate.take();
        let said = match (first, unit) {
            (_, 0xd800..=0xdbff) => {
                self.surrogate = Some(unit);
                None
            }
            (Some(first), 0xdc00..=0xdfff) => char::decode_utf16([first, unit]).next().and_then(Result::ok),
            // The bullet of the Symbol font.
            (_, 0xf0b7) => Some('•'),
            _ => u32::try_from(number).ok().and_then(char::from_u32),
        };
        if let Some(character) = said {
            self.say(character.encode_utf8(&mut [0; 4]));
        }
    }

    /// Whether the first control word of a group named its destination, and so needs no further handling.
    fn starts_destination(&mut self, word: &str) -> bool {
        let is_optional = std::mem::take(&mut self.is_optional);
        let target = match destination(word) {
            Some(target) => target,
            None if is_optional && !is_worth_reading(word) => Target::Skip,
            None => return false,
        };
        self.state.target = target;
        self.value.clear();
        if let Target::Text(_) = target {
            self.state.paragraph = Paragraph::default();
            self.state.is_hidden = false;
        }
        true
    }

    fn end_target(&mut self, target: Target) {
        match target {
            Target::Text(destination) => self.destinations.end(destination),
            Target::Marker => self.destinations.marker = marker(&self.value),
            Target::Info(field) => self.info.set(field, &self.value),
            Target::Fonts => self.state.encoding = self.info.default_font(),
            Target::Styles | Target::Silent | Target::Skip => {}
        }
    }
}

/// `\outlinelevel` counts from 0, and 9 is body text.
fn heading(outline_level: i32) -> u8 {
    u8::try_from(outline_level).ok().filter(|level| *level < 9).map_or(0, |level| level + 1)
}

/// The marker of a list item. Symbols come from symbol fonts and mean a bullet.
fn marker(text: &str) -> Option<String> {
    let text = text.trim();
    let is_bullet = !text.chars().any(|c| c.is_alphanumeric() || c == '-' || c == '–');
    (!text.is_empty()).then(|| if is_bullet { "•".to_owned() } else { text.to_owned() })
}
