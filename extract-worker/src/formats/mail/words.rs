//! Encoded words in headers (RFC 2047), and unencoded bytes.

use super::transfer;
use crate::input::charset::Charset;
use crate::input::encoding;

/// Decodes bytes in this charset, unless they contradict it. Undecodable bytes are replaced.
pub(super) fn characters(bytes: &[u8], charset: Option<Charset>) -> String {
    match encoding::decode_said(bytes, charset) {
        Some(text) => text.into_owned(),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Decodes the encoded words of a value, such as `=?utf-8?q?Gr=C3=BC=C3=9Fe?=`. A character may begin in one word
/// and end in the next.
pub(super) fn decode(value: &str) -> String {
    if !value.contains("=?") {
        return value.to_owned();
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    let mut pending: Pending = None;
    while let Some(start) = rest.find("=?") {
        let before = &rest[..start];
        let Some(word) = Word::at(&rest[start..]) else {
            flush(&mut pending, &mut text);
            text.push_str(before);
            text.push_str("=?");
            rest = &rest[start + 2..];
            continue;
        };
        // Blanks between two encoded words are not part of the text.
        let follows = pending.is_some() && before.trim().is_empty();
        if !follows {
            flush(&mut pending, &mut text);
            text.push_str(before);
        }
        match &mut pending {
            Some((charset, bytes)) if *charset == word.charset => bytes.extend(word.bytes),
            _ => {
                flush(&mut pending, &mut text);
                pending = Some((word.charset, word.bytes));
            }
        }
        rest = &rest[start + word.length..];
    }
    flush(&mut pending, &mut text);
    text + rest
}

/// Adjacent encoded words, which are decoded together.
type Pending = Option<(Option<Charset>, Vec<u8>)>;

fn flush(pending: &mut Pending, text: &mut String) {
    if let Some((charset, bytes)) = pending.take() {
        text.push_str(&characters(&bytes, charset));
    }
}

struct Word {
    charset: Option<Charset>,
    bytes: Vec<u8>,
    /// Its length in the header.
    length: usize,
}

impl Word {
    /// Parses the word at the start of `text`, which starts with `=?`.
    fn at(text: &str) -> Option<Self> {
        let (label, rest) = text[2..].split_once('?')?;
        let is_label = |c: char| c.is_ascii_alphanumeric() || "-_.:+*()".contains(c);
        if label.is_empty() || label.len() > 60 || !label.chars().all(is_label) {
            return None;
        }
        let (encoding, rest) = rest.split_once('?')?;
        let end = rest.find("?=")?;
        let bytes = match encoding {
            "b" | "B" => transfer::base64(&rest.as_bytes()[..end]),
            "q" | "Q" => transfer::quoted_printable(rest[..end].replace('_', " ").as_bytes()),
            _ => return None,
        };
        // `utf-8*en` says the language too.
        let label = label.split('*').next().unwrap_or_default();
        let length = text.len() - rest.len() + end + 2;
        Some(Self { charset: Charset::named(label), bytes, length })
    }
}
