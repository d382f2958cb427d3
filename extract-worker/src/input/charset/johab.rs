//! Johab: Korean syllables as three groups of five bits, beside the symbols and Chinese characters of KS X 1001.

use encoding_rs::EUC_KR;

/// The first syllable of Unicode, and how many medials and finals there are.
const FIRST_SYLLABLE: u32 = 0xac00;
const MEDIALS: u32 = 21;
const FINALS: u32 = 28;
/// Single consonants and vowels.
const FIRST_LETTER: u32 = 0x3131;
const FIRST_VOWEL: u32 = 0x314f;
/// The letter of each initial and of each final, counted from the first letter.
const INITIALS: [u32; 19] = [0, 1, 3, 6, 7, 8, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
const FINAL_LETTERS: [u32; 27] =
    [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 25, 26, 27, 28, 29];

/// Decodes Johab.
pub(super) fn johab(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first.is_ascii() {
            text.push(char::from(first));
            continue;
        }
        let pair = after.first().filter(|second| !(..0x31).contains(*second)).copied();
        rest = &after[usize::from(pair.is_some())..];
        let known = pair.is_some_and(|second| push(first, second, &mut text));
        if !known {
            text.push('\u{fffd}');
        }
    }
    text
}

/// Writes a character of two bytes; `false` if no character has them.
fn push(first: u8, second: u8, text: &mut String) -> bool {
    if first >= 0xd8 {
        return symbol(first, second, text);
    }
    let bits = u32::from(first) << 8 | u32::from(second);
    let initial = (bits >> 10 & 31).checked_sub(2).filter(|initial| *initial < 19);
    let medial = match bits >> 5 & 31 {
        medial @ 3..=7 => Some(medial - 3),
        medial @ 10..=15 => Some(medial - 5),
        medial @ 18..=23 => Some(medial - 7),
        medial @ 26..=29 => Some(medial - 9),
        _ => None,
    };
    let last = match bits & 31 {
        last @ 1..=17 => last - 1,
        last @ 19..=29 => last - 2,
        _ => 0,
    };
    let code = match (initial, medial, last) {
        (Some(initial), Some(medial), _) => FIRST_SYLLABLE + (initial * MEDIALS + medial) * FINALS + last,
        (Some(initial), None, 0) => FIRST_LETTER + INITIALS[initial as usize],
        (None, Some(medial), 0) => FIRST_VOWEL + medial,
        (None, None, 1..) => FIRST_LETTER + FINAL_LETTERS[last as usize - 1],
        _ => return false,
    };
    text.extend(char::from_u32(code));
    true
}

/// Writes a symbol or a Chinese character, which is in KS X 1001 at a place that follows from its own.
fn symbol(first: u8, second: u8, text: &mut String) -> bool {
    let row = match first {
        0xd9..=0xde => 2 * (u16::from(first) - 0xd9),
        0xe0..=0xf9 => 2 * u16::from(first) - 0x197,
        _ => return false,
    };
    let column = match second {
        0x31..=0x7e => u16::from(second) - 0x31,
        0x91..=0xfe => u16::from(second) - 0x43,
        _ => return false,
    };
    let (row, column) = if column < 94 { (row, column) } else { (row + 1, column - 94) };
    let pair = [row + 0xa1, column + 0xa1].map(|byte| u8::try_from(byte).unwrap_or_default());
    let decoded = EUC_KR.decode_without_bom_handling_and_without_replacement(&pair);
    decoded.inspect(|decoded| text.push_str(decoded)).is_some()
}
