//! Encodings that represent characters in seven bits, for old mail systems.

use super::taiwan;
use encoding_rs::{Encoding, GB18030};

const SHIFT_OUT: u8 = 0x0e;
const SHIFT_IN: u8 = 0x0f;
const ESCAPE: u8 = 0x1b;

/// Decodes ISO-2022-KR and ISO-2022-CN: between shift out and shift in, bytes are those of `wide` without the highest
/// bit, or characters of CNS 11643.
pub(super) fn iso_2022(bytes: &[u8], wide: &'static Encoding) -> String {
    let mut text = String::new();
    let mut pair = Vec::new();
    let (mut is_wide, mut is_taiwanese) = (false, false);
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            ESCAPE => {
                // `ESC $ ) C` and the like select a character set.
                let designates = rest.iter().position(|byte| (0x40..0x7f).contains(byte) && *byte != b'$');
                let end = designates.filter(|at| *at <= 3).map_or(0, |at| at + 1);
                match (&rest[..end], &rest[end..]) {
                    // A single character of another set.
                    ([b'N'], [row @ 0x21..0x7f, column @ 0x21..0x7f, after @ ..]) => {
                        taiwan::push(2, [*row, *column], &mut text);
                        rest = after;
                        continue;
                    }
                    ([b'$', b')', set], _) => is_taiwanese = *set == b'G',
                    _ => {}
                }
                rest = &rest[end..];
            }
            SHIFT_OUT => is_wide = true,
            SHIFT_IN => is_wide = false,
            // The shift state ends with the line.
            b'\n' => {
                is_wide = false;
                pair.clear();
                text.push('\n');
            }
            0x21..0x7f if is_wide => {
                pair.push(byte);
                if let [row, column] = pair[..] {
                    if is_taiwanese {
                        taiwan::push(1, [row, column], &mut text);
                    } else {
                        text.push_str(&wide.decode_without_bom_handling(&[row | 0x80, column | 0x80]).0);
                    }
                    pair.clear();
                }
            }
            _ => text.push(if byte.is_ascii() { char::from(byte) } else { '\u{fffd}' }),
        }
    }
    text
}

/// Decodes HZ: between `~{` and `~}`, bytes are those of GB 2312 without the highest bit.
pub(super) fn hz(bytes: &[u8]) -> String {
    let mut eight_bit = Vec::with_capacity(bytes.len());
    let mut is_wide = false;
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = if byte == b'~' { after.first() } else { None };
        rest = if escaped.is_some() { &after[1..] } else { after };
        match (byte, escaped) {
            (_, Some(b'{')) => is_wide = true,
            (_, Some(b'}')) => is_wide = false,
            (_, Some(b'~')) => eight_bit.push(b'~'),
            // A soft line break.
            (_, Some(b'\n')) => {}
            (_, Some(other)) => eight_bit.extend([b'~', *other]),
            (b'\n', None) => {
                is_wide = false;
                eight_bit.push(byte);
            }
            (0x21..0x7f, None) if is_wide => eight_bit.push(byte | 0x80),
            (_, None) => eight_bit.push(byte),
        }
    }
    GB18030.decode_without_bom_handling(&eight_bit).0.into_owned()
}

/// Decodes UTF-7: between `+` and `-` is UTF-16 in base64.
pub(super) fn utf7(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'+' {
            text.push(if byte.is_ascii() { char::from(byte) } else { '\u{fffd}' });
            continue;
        }
        let length = rest.iter().take_while(|byte| digit(**byte).is_some()).count();
        let (digits, after) = rest.split_at(length);
        if digits.is_empty() {
            // `+-` and a `+` without digits stand for a plus sign.
            text.push('+');
        }
        let (mut bits, mut count) = (0_u32, 0);
        units.clear();
        for value in digits.iter().filter_map(|byte| digit(*byte)) {
            bits = (bits << 6 | u32::from(value)) & 0x3f_ffff;
            count += 6;
            if count >= 16 {
                count -= 16;
                units.push(((bits >> count) & 0xffff) as u16);
            }
        }
        text.extend(char::decode_utf16(units.iter().copied()).map(|unit| unit.unwrap_or('\u{fffd}')));
        rest = after.strip_prefix(b"-").unwrap_or(after);
    }
    text
}

/// The value of a base64 digit.
fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::EUC_KR;

    #[test]
    fn seven_bits_carry_other_scripts() {
        assert_eq!(iso_2022(b"\x1b$)C\x0e>H3g\x0f a\n\x0eGQ\x0f.", EUC_KR), "안녕 a\n한.");
        assert_eq!(
            iso_2022(b"\x1b$)A\x0eVPND\x0f \x1b$)G\x1b$*H\x0eDcEF\x1bN!!\x0f.", GB18030),
            "中文 中文乂."
        );
        assert_eq!(hz(b"a~~b ~{VPND~}~\n c ~{VP\nd"), "a~b 中文 c 中\nd");
        assert_eq!(utf7(b"Gr+APYA3w-e 1 +- 2 +2D3eAA-!+"), "Größe 1 + 2 😀!+");
    }
}
