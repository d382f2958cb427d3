//! Normalises characters: expands ligatures and presentation forms, and removes control characters.

use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::object::{Dict, String as PdfString};
use unicode_normalization::UnicodeNormalization;

/// Appends a character in its plain form; returns `false` if it is not a readable character.
pub(in crate::pdf) fn push(text: &mut String, character: char) -> bool {
    match character {
        ' '..='~' => text.push(character),
        '\t' | '\n' | '\r' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => text.push(' '),
        // Latin ligatures and Arabic presentation forms.
        '\u{fb00}'..='\u{fb06}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => {
            text.extend(std::iter::once(character).nfkc());
        }
        // Zero-width characters mean nothing on a page.
        '\u{200b}' | '\u{2060}' | '\u{feff}' => {}
        '\u{fffd}' => return false,
        character if character.is_control() => return false,
        _ => text.push(character),
    }
    true
}

/// Whether a character is in a private use area, where its meaning depends on the font.
pub(in crate::pdf) fn is_private(character: char) -> bool {
    matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// The `ActualText` of marked content.
pub(in crate::pdf) fn actual_text(properties: &Dict<'_>) -> Option<String> {
    let string = properties.get::<PdfString<'_>>(b"ActualText".as_slice())?;
    Some(decode(string.as_bytes()))
}

/// Decodes a PDF text string: UTF-16 or UTF-8 with a byte order mark, otherwise `PDFDocEncoding`. Many
/// writers omit the mark, so valid UTF-8 is also decoded as UTF-8: it is almost never anything else.
pub(in crate::pdf) fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return without_languages(&encoding.decode_without_bom_handling(&bytes[mark..]).0);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_ascii() => text.to_owned(),
        _ => bytes.iter().map(|byte| pdf_doc(*byte)).collect(),
    }
}

/// Removes language escapes: a language code between two escape characters.
fn without_languages(text: &str) -> String {
    text.split('\u{1b}').step_by(2).collect()
}

/// `PDFDocEncoding`, which is Latin-1 except for these.
fn pdf_doc(byte: u8) -> char {
    const HIGH: [char; 33] = [
        '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚', '™', 'ﬁ',
        'ﬂ', 'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{fffd}', '€',
    ];
    const LOW: [char; 8] = ['˘', 'ˇ', 'ˆ', '˙', '˝', '˛', '˚', '˜'];
    match byte {
        0x18..=0x1f => LOW[usize::from(byte - 0x18)],
        0x80..=0xa0 => HIGH[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

/// Whether a glyph is mapped to readable characters. Some files map every glyph to U+0000 or U+FFFD.
pub(in crate::pdf) fn is_readable(characters: &BfString) -> bool {
    match characters {
        BfString::Char(character) => !matches!(*character, '\0' | char::REPLACEMENT_CHARACTER),
        BfString::String(string) => !string.is_empty(),
    }
}
