//! EUC-TW, the encoding of CNS 11643 on Unix systems in Taiwan.
//!
//! Its first two planes have the characters of Big5, in almost the same order, so that a table of the stretches in which
//! they agree is sufficient. Characters of other planes become U+FFFD.

use encoding_rs::BIG5;

/// Characters in a row of a plane.
const ROW: usize = 94;
/// Characters in a row of Big5: 63 with low second bytes, 94 with high ones.
const BIG5_ROW: usize = 157;
const BIG5_LOW: usize = 63;
const SINGLE_SHIFT: u8 = 0x8e;

/// Decodes EUC-TW.
pub(super) fn euc_tw(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        let (plane, pair) = match (byte, rest) {
            (SINGLE_SHIFT, [_, plane @ 0xa1..=0xb0, first, second, ..]) => {
                (plane - 0xa0, Some([*first, *second]))
            }
            (_, [first, second, ..]) => (1, Some([*first, *second])),
            _ => (1, None),
        };
        let is_wide = |pair: &[u8; 2]| pair.iter().all(|byte| (0xa1..0xff).contains(byte));
        if let Some(pair) = pair.filter(is_wide) {
            push(plane, pair.map(|byte| byte & 0x7f), &mut text);
            rest = &rest[if byte == SINGLE_SHIFT { 4 } else { 2 }..];
        } else {
            text.push(if byte.is_ascii() { char::from(byte) } else { '\u{fffd}' });
            rest = after;
        }
    }
    text
}

/// Writes the character of a plane at a place, both of whose numbers are from 0x21 to 0x7e.
pub(super) fn push(plane: u8, [row, column]: [u8; 2], text: &mut String) {
    let index = usize::from(row - 0x21) * ROW + usize::from(column - 0x21);
    let stretches = match plane {
        1 => FIRST_PLANE,
        2 => SECOND_PLANE,
        _ => &[],
    };
    let after = stretches.partition_point(|(start, ..)| *start <= index);
    let found = after.checked_sub(1).and_then(|index| stretches.get(index));
    let Some((start, big5, _)) = found.filter(|(start, _, length)| index < start + length) else {
        return text.push('\u{fffd}');
    };
    let index = big5 + (index - start);
    let (row, column) = (index / BIG5_ROW, index % BIG5_ROW);
    let column = if column < BIG5_LOW { 0x40 + column } else { 0x62 + column };
    let pair = [0xa1 + row, column].map(|byte| u8::try_from(byte).unwrap_or_default());
    text.push_str(&BIG5.decode_without_bom_handling(&pair).0);
}

/// Stretches of the first plane: the first place, its place in Big5, the length.
#[rustfmt::skip]
const FIRST_PLANE: &[(usize, usize, usize)] = &[
    (0, 0, 21), (21, 23, 2), (24, 22, 1), (29, 29, 44), (73, 74, 1), (74, 73, 1), (75, 75, 52),
    (127, 128, 1), (128, 127, 1), (129, 129, 19), (148, 149, 1), (149, 148, 1), (150, 150, 4),
    (155, 21, 1), (156, 156, 78), (282, 234, 174), (470, 6101, 20), (3290, 471, 17), (3307, 263, 1),
    (3308, 489, 86), (3394, 265, 1), (3395, 576, 1307), (4702, 1884, 424), (5126, 1883, 1),
    (5127, 2308, 1876), (7003, 4571, 1), (7004, 4184, 387), (7391, 4572, 525), (7916, 5286, 1),
    (7917, 5097, 189), (8106, 5287, 84), (8190, 5517, 1), (8191, 5371, 54), (8245, 5426, 1),
    (8246, 5425, 1), (8247, 5427, 90), (8337, 5518, 354),
];

/// The same of the second plane.
#[rustfmt::skip]
const SECOND_PLANE: &[(usize, usize, usize)] = &[
    (0, 6280, 10), (10, 6291, 33), (43, 6372, 1), (44, 6324, 48), (92, 6373, 46), (138, 6586, 1),
    (139, 6419, 167), (306, 6587, 1840), (2146, 9074, 1), (2147, 8428, 108), (2255, 8537, 537),
    (2792, 8427, 1), (2793, 9075, 100), (2893, 8536, 1), (2894, 9175, 399), (3293, 9575, 1637),
    (4930, 11761, 1), (4931, 11212, 146), (5077, 11899, 1), (5078, 11358, 287), (5365, 12508, 1),
    (5366, 11645, 116), (5482, 11762, 137), (5619, 11900, 104), (5723, 12425, 1),
    (5724, 12004, 222), (5946, 12227, 198), (6144, 12426, 82), (6226, 12509, 86), (6312, 12226, 1),
    (6313, 12595, 8), (6321, 12604, 153), (6474, 12758, 56), (6530, 13114, 1), (6531, 12814, 113),
    (6644, 12603, 1), (6645, 12927, 142), (6787, 12757, 1), (6788, 13069, 45), (6833, 13115, 71),
    (6904, 13380, 1), (6905, 13186, 194), (7099, 13381, 490), (7589, 13914, 1), (7590, 13871, 43),
    (7633, 13915, 1), (7634, 13917, 11), (7645, 13916, 1), (7646, 13928, 4),
];
