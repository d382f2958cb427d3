//! The headers of a message or a part: names, values, and the parameters of values.

use super::words;
use crate::input::charset::Charset;
use crate::input::percent;
use std::collections::BTreeMap;

/// The raw headers.
#[derive(Debug, Default)]
pub(super) struct Headers<'m> {
    fields: Vec<(&'m str, &'m [u8])>,
    /// The charset that the message declares.
    charset: Option<Charset>,
}

/// A value with parameters: `text/plain; charset=utf-8`.
#[derive(Debug, Default)]
pub(super) struct Value {
    /// In lower case.
    pub(super) main: String,
    parameters: BTreeMap<String, String>,
}

/// Maximum number of pieces of a parameter.
const MOST_PIECES: u32 = 1000;

impl<'m> Headers<'m> {
    /// Reads headers from the start of `bytes`; also returns where the text begins, which is after the first empty
    /// line, or at the first line that cannot be a header.
    pub(super) fn of(bytes: &'m [u8]) -> (Self, usize) {
        let mut fields: Vec<(&str, &[u8])> = Vec::new();
        // Where the last value begins.
        let mut value = None;
        let mut at = 0;
        let mut end = bytes.len();
        while at < bytes.len() {
            let line_end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length + 1);
            let line = &bytes[at..line_end];
            match line.trim_ascii_end() {
                [] => {
                    end = line_end;
                    break;
                }
                [b' ' | b'\t', ..] => {
                    if let (Some(start), Some((_, last))) = (value, fields.last_mut()) {
                        *last = &bytes[start..line_end];
                    }
                }
                // Mailbox files put such a line before each message.
                [b'F', b'r', b'o', b'm', b' ', ..] | [b'>', b'F', b'r', b'o', b'm', b' ', ..] => value = None,
                _ => {
                    let Some((name, length)) = field_name(line) else {
                        end = at;
                        break;
                    };
                    value = Some(at + length);
                    fields.push((name, &bytes[at + length..line_end]));
                }
            }
            at = line_end;
        }
        let mut headers = Self { fields, charset: None };
        headers.charset =
            headers.value("content-type").and_then(|kind| Charset::named(kind.parameter("charset")?));
        (headers, end)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'m str> {
        self.fields.iter().map(|(name, _)| *name)
    }

    /// The declared charset of the text, and of unencoded bytes in headers.
    pub(super) fn charset(&self) -> Option<Charset> {
        self.charset
    }

    /// A value in one line, with encoded words still encoded.
    pub(super) fn raw(&self, name: &str) -> Option<String> {
        let (_, value) = self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        // Headers are made of ASCII, whatever the text below them is in.
        let charset = self.charset.filter(|charset| !charset.has_wide_units() && *charset != Charset::Utf7);
        let text = words::characters(value, charset);
        let line = text.split(['\r', '\n']).collect::<String>();
        let line = line.trim();
        (!line.is_empty()).then(|| line.to_owned())
    }

    /// A value with encoded words decoded.
    pub(super) fn words(&self, name: &str) -> Option<String> {
        let text = words::decode(&self.raw(name)?);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    }

    /// A value with parameters.
    pub(super) fn value(&self, name: &str) -> Option<Value> {
        Some(Value::of(&self.raw(name)?))
    }
}

/// The name of a header, and its length including the colon.
fn field_name(line: &[u8]) -> Option<(&str, usize)> {
    let colon = memchr::memchr(b':', line)?;
    let name = std::str::from_utf8(line[..colon].trim_ascii_end()).ok()?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    is_name.then_some((name, colon + 1))
}

impl Value {
    fn of(raw: &str) -> Self {
        let (main, mut rest) = raw.split_at(raw.find(';').unwrap_or(raw.len()));
        let main = main.split('(').next().unwrap_or_default().trim().trim_matches('"').to_ascii_lowercase();
        let mut plain = BTreeMap::new();
        let mut pieces: BTreeMap<String, BTreeMap<u32, (bool, String)>> = BTreeMap::new();
        while let Some(after) = rest.strip_prefix(';') {
            let (name, after) = after.split_at(after.find(['=', ';']).unwrap_or(after.len()));
            let Some(after) = after.strip_prefix('=') else {
                rest = after;
                continue;
            };
            let (value, after) = parameter_value(after.trim_start());
            rest = after;
            let name = name.trim().to_ascii_lowercase();
            match name.split_once('*') {
                None => drop(plain.entry(name).or_insert(value)),
                Some((name, piece)) => {
                    // `name*0*` is the first piece, with escapes; `name*` is the only one.
                    let is_escaped = piece.is_empty() || piece.ends_with('*');
                    let number = piece.trim_end_matches('*').parse().unwrap_or(0);
                    if number < MOST_PIECES {
                        pieces
                            .entry(name.to_owned())
                            .or_default()
                            .entry(number)
                            .or_insert((is_escaped, value));
                    }
                }
            }
        }
        let mut parameters: BTreeMap<String, String> =
            plain.into_iter().map(|(name, value)| (name, words::decode(&value))).collect();
        parameters.extend(pieces.into_iter().map(|(name, pieces)| (name, joined(pieces))));
        Self { main, parameters }
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// The value of a parameter, and the rest of the header.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        return (value.split(" (").next().unwrap_or_default().trim().to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let rest = &quoted[at + 1..];
                return (value, &rest[rest.find(';').unwrap_or(rest.len())..]);
            }
            '\\' if quoted[at + 1..].starts_with(['"', '\\']) => {
                value.extend(characters.next().map(|(_, quoted)| quoted));
            }
            _ => value.push(character),
        }
    }
    (value, "")
}

/// Joins the pieces of a value (RFC 2231). The first one may name the charset of all.
fn joined(pieces: BTreeMap<u32, (bool, String)>) -> String {
    let mut bytes = Vec::new();
    let mut charset = None;
    for (index, (is_escaped, piece)) in pieces.into_values().enumerate() {
        if !is_escaped {
            bytes.extend_from_slice(piece.as_bytes());
            continue;
        }
        let mut escaped = piece.as_str();
        if index == 0
            && let Some((label, rest)) = piece.split_once('\'')
        {
            charset = Charset::named(label);
            escaped = rest.split_once('\'').map_or(rest, |(_, text)| text);
        }
        bytes.extend(percent::decode(escaped));
    }
    words::characters(&bytes, charset)
}
