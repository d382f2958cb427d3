//! Decodes text in any character encoding.
//!
//! A byte order mark takes precedence, then the charset that the file or its sender declares unless the bytes
//! contradict it, then a guess.

mod guess;
mod plausible;

use super::charset::{Charset, zeros_by_place};
use dossier_extract::protocol::Failure;
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// How much of a file is used to guess its encoding.
const SAMPLE_BYTES: usize = 64 * 1024;

/// Decodes a file that should be text, in the declared charset if there is one.
pub(crate) fn decode(bytes: &[u8], said: Option<Charset>) -> Result<Cow<'_, str>, Failure> {
    decode_said(bytes, said)
        .ok_or_else(|| Failure::Malformed { reason: "it is not text in any known encoding".to_owned() })
}

/// The same; `None` if the bytes are not text.
pub(crate) fn decode_said(bytes: &[u8], said: Option<Charset>) -> Option<Cow<'_, str>> {
    let is_marked = Encoding::for_bom(bytes).is_some() || marked_utf32(bytes).is_some();
    let text = said.filter(|_| !is_marked).and_then(|said| trusted(bytes, said));
    match text {
        Some(text) => text_only(text),
        None => decode_if_text(bytes),
    }
}

/// Decodes by byte order mark, as UTF-8, as UTF-16 without a mark, or as the most likely legacy encoding;
/// `None` if the bytes are not text.
pub(crate) fn decode_if_text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Some((charset, mark)) = marked_utf32(bytes) {
        return text_only(charset.decode(&bytes[mark..]));
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return text_only(encoding.decode_without_bom_handling(&bytes[mark..]).0);
    }
    if bytes.contains(&0) {
        if let Some(charset) = unmarked_wide(bytes) {
            return text_only(charset.decode(bytes));
        }
        // Without stray zero bytes and padding, the rest may be text.
        let rest = without_zeros(bytes);
        let text = if rest.is_empty() { None } else { decode_if_text(&rest) };
        return text.map(|text| Cow::Owned(text.into_owned()));
    }
    if let Some(charset) = escaped(bytes) {
        return text_only(charset.decode(bytes));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text_only(Cow::Borrowed(text));
    }
    text_only(guess::charset(bytes).decode(bytes))
}

/// Decodes an XML part by its byte order mark, as UTF-8, or as it declares. Invalid bytes are replaced.
pub(crate) fn decode_xml(bytes: Vec<u8>) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    if let Some(encoding) = unmarked_utf16(&bytes) {
        return encoding.decode_without_bom_handling(&bytes).0.into_owned();
    }
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let bytes = error.as_bytes();
        let text = said_by_xml(bytes).and_then(|said| trusted(bytes, said));
        text.unwrap_or_else(|| String::from_utf8_lossy(bytes)).into_owned()
    })
}

/// The charset in `<?xml … encoding="…"?>`.
pub(crate) fn said_by_xml(bytes: &[u8]) -> Option<Charset> {
    let prolog = bytes.trim_ascii_start().strip_prefix(b"<?xml")?;
    let prolog = &prolog[..memchr::memchr(b'>', prolog)?.min(1024)];
    let (_, value) = std::str::from_utf8(prolog).ok()?.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    Charset::named(value.get(1..)?.split(['"', '\'']).next()?)
}

/// The text in the declared charset; `None` if the bytes contradict it.
fn trusted(bytes: &[u8], said: Charset) -> Option<Cow<'_, str>> {
    if bytes.contains(&0) && !said.has_wide_units() {
        if unmarked_wide(bytes).is_some() {
            return None;
        }
        return trusted(&without_zeros(bytes), said).map(|text| Cow::Owned(text.into_owned()));
    }
    if said == Charset::Web(UTF_8) {
        return guess::is_mostly_utf8(bytes).then(|| said.decode(bytes));
    }
    if bytes.is_ascii() && said.has_plain_ascii() {
        return escaped(bytes).is_none().then(|| said.decode(bytes));
    }
    // Bytes that are valid UTF-8 are hardly ever anything else.
    if !said.has_wide_units()
        && let Ok(text) = std::str::from_utf8(bytes)
        && !text.is_ascii()
        && (said.is_single_byte() || text.chars().any(|c| c >= '\u{800}'))
    {
        return None;
    }
    let text = said.decode(bytes);
    let broken = text.chars().filter(|c| *c == '\u{fffd}').count();
    let beyond_ascii = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    // Bytes that windows-1252 does not define decode as control characters.
    let undefined = text.chars().filter(|c| ('\u{80}'..'\u{a0}').contains(c) && *c != '\u{85}').count();
    if (broken + undefined) * 20 > beyond_ascii.max(20) {
        return None;
    }
    // The default of programs that do not know the charset.
    if said == Charset::Web(WINDOWS_1252) && guess::is_of_another_script(bytes) { None } else { Some(text) }
}

fn without_zeros(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| *byte != 0).collect()
}

/// UTF-16 or UTF-32 without a byte order mark.
fn unmarked_wide(bytes: &[u8]) -> Option<Charset> {
    unmarked_utf32(bytes).or_else(|| unmarked_utf16(bytes).map(Charset::Web))
}

/// UTF-16 without a byte order mark. In Latin text every other byte is NUL.
fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    if sample.len() < 4 {
        return None;
    }
    let ((even, odd), half) = (zeros_by_place(sample), sample.len() / 2);
    if odd * 10 > half * 4 && even * 50 < half {
        return Some(UTF_16LE);
    }
    if even * 10 > half * 4 && odd * 50 < half {
        return Some(UTF_16BE);
    }
    // Pairs of ASCII bytes would also decode as letters of other scripts.
    if !bytes.len().is_multiple_of(2) || is_almost_ascii(sample) {
        return None;
    }
    [UTF_16LE, UTF_16BE].into_iter().find(|encoding| reads_as_text(sample, encoding))
}

/// Whether nearly all bytes other than zeros are printable ASCII.
fn is_almost_ascii(sample: &[u8]) -> bool {
    let is_printable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let (printable, zeros) = sample.iter().fold((0, 0), |(printable, zeros), byte| {
        (printable + usize::from(is_printable(byte)), zeros + usize::from(*byte == 0))
    });
    printable * 20 > (sample.len() - zeros) * 19
}

/// UTF-32 without a byte order mark.
fn unmarked_utf32(bytes: &[u8]) -> Option<Charset> {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES) / 4 * 4];
    let (units, _) = sample.as_chunks::<4>();
    let of = |is_little: bool| {
        let value =
            |unit: &[u8; 4]| if is_little { u32::from_le_bytes(*unit) } else { u32::from_be_bytes(*unit) };
        let is_text = |unit| char::from_u32(value(unit)).is_some_and(|c| c != '\0' && c < '\u{20000}');
        (units.len() >= 2 && bytes.len().is_multiple_of(4) && units.iter().all(is_text))
            .then_some(Charset::Utf32 { is_little })
    };
    of(true).or_else(|| of(false))
}

/// Whether the bytes are letters and blanks in this encoding. In the wrong byte order there are no blanks.
fn reads_as_text(sample: &[u8], encoding: &'static Encoding) -> bool {
    let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(sample) else {
        return false;
    };
    let is_usual = |c: &char| {
        c.is_alphanumeric()
            || c.is_whitespace()
            || c.is_ascii_punctuation()
            || ('\u{2000}'..='\u{303f}').contains(c)
    };
    let (total, usual) = (text.chars().count(), text.chars().filter(is_usual).count());
    text.contains([' ', '\n']) && usual * 20 >= total * 17
}

/// UTF-32 with a byte order mark, which browsers do not support but some programs write; also the mark's length.
fn marked_utf32(bytes: &[u8]) -> Option<(Charset, usize)> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => Some((Charset::Utf32 { is_little: true }, 4)),
        [0, 0, 0xfe, 0xff, ..] => Some((Charset::Utf32 { is_little: false }, 4)),
        _ => None,
    }
}

/// Encodings that use only ASCII bytes, recognized by their escape sequences.
fn escaped(bytes: &[u8]) -> Option<Charset> {
    if !bytes.is_ascii() || !bytes.contains(&0x1b) {
        return None;
    }
    let escapes: [(&[u8], Charset); 4] = [
        (b"\x1b$B", Charset::Web(ISO_2022_JP)),
        (b"\x1b$@", Charset::Web(ISO_2022_JP)),
        (b"\x1b$)C", Charset::Iso2022Kr),
        (b"\x1b$)A", Charset::Iso2022Cn),
    ];
    let found = escapes.into_iter().find(|(escape, _)| memchr::memmem::find(bytes, escape).is_some());
    found.map(|(_, charset)| charset)
}

/// Returns the text unless it contains many control or undecodable characters.
fn text_only(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let strange = |c: char| matches!(c, '\0'..='\x08' | '\x0e'..='\x1a' | '\x1c'..='\x1f' | '\u{fffd}');
    let (mut total, mut bad) = (0_usize, 0_usize);
    for character in text.chars() {
        total += 1;
        bad += usize::from(strange(character));
    }
    (bad * 50 <= total).then_some(text)
}
