//! Decodes text in any character encoding.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use dossier_extract::protocol::Failure;
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// How much of a file is used to guess its encoding.
const SAMPLE_BYTES: usize = 64 * 1024;

/// Decodes a file that should be text.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Failure> {
    decode_if_text(bytes)
        .ok_or_else(|| Failure::Malformed { reason: "it is not text in any known encoding".to_owned() })
}

/// Decodes by byte order mark, as UTF-8, as UTF-16 without a mark, or as the most likely legacy encoding;
/// `None` if the bytes are not text.
pub(crate) fn decode_if_text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Some(text) = marked_utf32(bytes) {
        return text_only(Cow::Owned(text));
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return text_only(encoding.decode_without_bom_handling(&bytes[mark..]).0);
    }
    if bytes.contains(&0) {
        return text_only(unmarked_utf16(bytes)?.decode_without_bom_handling(bytes).0);
    }
    if is_iso_2022_jp(bytes) {
        return text_only(ISO_2022_JP.decode_without_bom_handling(bytes).0);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text_only(Cow::Borrowed(text));
    }
    text_only(guess(bytes).decode_without_bom_handling(bytes).0)
}

/// Decodes an XML part by its byte order mark, or as UTF-8. Invalid bytes are replaced.
pub(crate) fn decode_xml(bytes: Vec<u8>) -> String {
    match Encoding::for_bom(&bytes) {
        Some((encoding, mark)) => encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned(),
        None => match unmarked_utf16(&bytes) {
            Some(encoding) => encoding.decode_without_bom_handling(&bytes).0.into_owned(),
            None => String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        },
    }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, sample.len() == bytes.len());
    // Valid UTF-8 never gets here. UTF-8 with a broken byte does, and is still UTF-8.
    let invalid = String::from_utf8_lossy(sample).matches('\u{fffd}').count();
    let beyond_ascii = sample.iter().filter(|byte| !byte.is_ascii()).count();
    if invalid * 20 < beyond_ascii { UTF_8 } else { detector.guess(None, Utf8Detection::Deny) }
}

/// UTF-16 without a byte order mark. In Latin text every other byte is NUL.
fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    if !bytes.len().is_multiple_of(2) || sample.len() < 4 {
        return None;
    }
    let zeros = |parity: usize| sample.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), sample.len() / 2);
    if odd * 10 > half * 4 && even * 50 < half {
        Some(UTF_16LE)
    } else if even * 10 > half * 4 && odd * 50 < half {
        Some(UTF_16BE)
    } else {
        [UTF_16LE, UTF_16BE].into_iter().find(|encoding| reads_as_text(sample, encoding))
    }
}

/// Whether bytes decode to letters and blanks. In the wrong byte order, blanks do not decode as blanks.
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

/// UTF-32 with a byte order mark. Browsers do not support it, but some programs write it.
fn marked_utf32(bytes: &[u8]) -> Option<String> {
    let from_bytes = match bytes {
        [0xff, 0xfe, 0, 0, ..] => u32::from_le_bytes,
        [0, 0, 0xfe, 0xff, ..] => u32::from_be_bytes,
        _ => return None,
    };
    let (units, _) = bytes[4..].as_chunks::<4>();
    Some(units.iter().map(|unit| char::from_u32(from_bytes(*unit)).unwrap_or('\u{fffd}')).collect())
}

/// Its bytes are all ASCII; it is recognised by escape sequences that nothing else uses.
fn is_iso_2022_jp(bytes: &[u8]) -> bool {
    bytes.is_ascii()
        && [b"\x1b$B", b"\x1b$@"].iter().any(|escape| memchr::memmem::find(bytes, *escape).is_some())
}

/// Accepts text that has almost no control characters and almost no undecodable ones.
fn text_only(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let strange = |c: char| matches!(c, '\0'..='\x08' | '\x0e'..='\x1a' | '\x1c'..='\x1f' | '\u{fffd}');
    let (mut total, mut bad) = (0_usize, 0_usize);
    for character in text.chars() {
        total += 1;
        bad += usize::from(strange(character));
    }
    (bad * 50 <= total).then_some(text)
}
