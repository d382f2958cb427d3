//! Guesses the charset of bytes for which none is declared.

use super::SAMPLE_BYTES;
use super::plausible::{self, Plausibility};
use crate::input::charset::{Charset, MACINTOSH_PAGE};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, IBM866, ISO_8859_2, UTF_8, WINDOWS_1252, X_MAC_CYRILLIC};
use std::borrow::Cow;

/// Code pages that the detector does not know, or misses in short texts, most common first.
const OTHERS: [u32; 9] = [1250, 850, MACINTOSH_PAGE, 437, 852, 10_029, 857, 737, 862];

/// The charset of bytes that are not valid UTF-8.
pub(super) fn charset(bytes: &[u8]) -> Charset {
    let sample = sample(bytes);
    if is_mostly_utf8(&sample) {
        return Charset::Web(UTF_8);
    }
    let detected = detect(&sample);
    let found = plausible::of(&detected.decode(&sample));
    let western = Charset::Web(WINDOWS_1252);
    let as_western = plausible::of(&western.decode(&sample));
    // The detector compares letter frequencies, so a few symbols among ASCII words mislead it.
    if as_western.bad == 0 && as_western.in_words == 0 {
        return western;
    }
    if found.bad == 0 && found.in_words > 0 {
        return detected;
    }
    let mut best = (detected, found);
    let mut consider = |charset: Charset, plausibility: Plausibility| {
        if plausibility.is_better_than(&best.1) {
            best = (charset, plausibility);
        }
    };
    consider(western, as_western);
    let others = OTHERS.iter().filter_map(|page| Charset::of_code_page(*page));
    for other in others.chain([ISO_8859_2, IBM866, X_MAC_CYRILLIC].map(Charset::Web)) {
        consider(other, plausible::of(&other.decode(&sample)));
    }
    best.0
}

/// Whether the bytes are UTF-8, apart from a few invalid ones.
pub(super) fn is_mostly_utf8(bytes: &[u8]) -> bool {
    if std::str::from_utf8(bytes).is_ok() {
        return true;
    }
    let invalid = String::from_utf8_lossy(bytes).matches('\u{fffd}').count();
    let beyond_ascii = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    invalid * 20 < beyond_ascii
}

/// Whether the bytes are clearly text in a script other than Latin: most of their letters are beyond ASCII.
pub(super) fn is_of_another_script(bytes: &[u8]) -> bool {
    let sample = sample(bytes);
    let high = sample.iter().filter(|byte| **byte >= 0xa0).count();
    let ascii = sample.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    if high < 12 || high < 2 * ascii {
        return false;
    }
    let text = detect(&sample).decode(&sample);
    let letters = || text.chars().filter(|c| !c.is_ascii() && c.is_alphabetic());
    let latin = letters().filter(|c| *c < '\u{250}').count();
    latin * 10 < letters().count() && !text.contains('\u{fffd}')
}

fn detect(sample: &[u8]) -> Charset {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, true);
    let found: &'static Encoding = detector.guess(None, Utf8Detection::Deny);
    Charset::Web(found)
}

/// The beginning if it contains bytes beyond ASCII, otherwise the lines that contain some.
fn sample(bytes: &[u8]) -> Cow<'_, [u8]> {
    let start = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    if start.len() == bytes.len() || !start.is_ascii() {
        return Cow::Borrowed(start);
    }
    let mut lines = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.is_ascii()) {
        let first = line.iter().position(|byte| !byte.is_ascii()).unwrap_or_default();
        let line = &line[first.saturating_sub(SAMPLE_BYTES / 16)..];
        lines.extend_from_slice(&line[..line.len().min(SAMPLE_BYTES / 8)]);
        if lines.len() >= SAMPLE_BYTES {
            break;
        }
    }
    Cow::Owned(lines)
}
