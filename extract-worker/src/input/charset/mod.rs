//! Charsets, by name or code page number: those of the web (`encoding_rs`) and older ones, namely DOS and Macintosh
//! code pages, EUC-TW, Johab, the 7-bit encodings of East Asian mail, UTF-7 and UTF-32.
//!
//! Invariant: decoding never fails; undefined bytes become U+FFFD.

mod johab;
mod label;
mod pages;
mod seven_bit;
mod taiwan;

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, IBM866, ISO_2022_JP, MACINTOSH, SHIFT_JIS, UTF_8, UTF_16BE,
    UTF_16LE, WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254,
    WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258, X_MAC_CYRILLIC,
};
use std::borrow::Cow;

/// A character encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// An encoding that browsers support.
    Web(&'static Encoding),
    /// A code page: ASCII and an upper half of 128 characters.
    Page(&'static str),
    /// UTF-32, little or big endian.
    Utf32 {
        is_little: bool,
    },
    /// UTF-16 of unknown byte order.
    Utf16,
    Utf7,
    Hz,
    Iso2022Kr,
    Iso2022Cn,
    EucTw,
    Johab,
}

/// The code page of Macintosh computers in Western Europe.
pub(crate) const MACINTOSH_PAGE: u32 = 10_000;

impl Charset {
    /// The charset with this name; `None` for unknown names and for those that say nothing about bytes beyond ASCII
    /// (`us-ascii`, `unknown-8bit`).
    pub(crate) fn named(label: &str) -> Option<Self> {
        label::charset(label)
    }

    /// The `charset` parameter of a media type.
    pub(crate) fn of_media_type(media_type: &str) -> Option<Self> {
        media_type.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let value = value.trim().trim_matches(['"', '\'']);
            if name.trim().eq_ignore_ascii_case("charset") { Self::named(value) } else { None }
        })
    }

    /// The code page with this number, in the numbering of Windows.
    pub(crate) fn of_code_page(number: u32) -> Option<Self> {
        Some(Self::Web(match number {
            866 => IBM866,
            874 => WINDOWS_874,
            932 | 10_001 => SHIFT_JIS,
            936 | 10_008 | 54_936 => GB18030,
            949 | 10_003 | 51_949 => EUC_KR,
            950 | 10_002 => BIG5,
            1200 => UTF_16LE,
            1201 => UTF_16BE,
            1250 => WINDOWS_1250,
            1251 => WINDOWS_1251,
            1252 => WINDOWS_1252,
            1253 => WINDOWS_1253,
            1254 => WINDOWS_1254,
            1255 => WINDOWS_1255,
            1256 => WINDOWS_1256,
            1257 => WINDOWS_1257,
            1258 => WINDOWS_1258,
            10_007 | 10_017 => X_MAC_CYRILLIC,
            50_220..=50_222 => ISO_2022_JP,
            50_225 => return Some(Self::Iso2022Kr),
            1361 => return Some(Self::Johab),
            51_932 => EUC_JP,
            51_950 => return Some(Self::EucTw),
            52_936 => return Some(Self::Hz),
            65_000 => return Some(Self::Utf7),
            65_001 => UTF_8,
            MACINTOSH_PAGE => MACINTOSH,
            number => return pages::upper_half(number).map(Self::Page),
        }))
    }

    /// Decodes bytes, without a byte order mark.
    pub(crate) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Web(encoding) => encoding.decode_with_bom_removal(bytes).0,
            Self::Page(upper) => page(upper, bytes),
            Self::Utf32 { is_little } => Cow::Owned(utf32(bytes, is_little)),
            Self::Utf16 => utf16_order(bytes).decode_with_bom_removal(bytes).0,
            Self::Utf7 => Cow::Owned(seven_bit::utf7(bytes)),
            Self::Hz => Cow::Owned(seven_bit::hz(bytes)),
            Self::Iso2022Kr => Cow::Owned(seven_bit::iso_2022(bytes, EUC_KR)),
            Self::Iso2022Cn => Cow::Owned(seven_bit::iso_2022(bytes, GB18030)),
            Self::EucTw => Cow::Owned(taiwan::euc_tw(bytes)),
            Self::Johab => Cow::Owned(johab::johab(bytes)),
        }
    }

    /// Whether every character is one byte.
    pub(crate) fn is_single_byte(self) -> bool {
        match self {
            Self::Web(encoding) => encoding.is_single_byte(),
            Self::Page(_) => true,
            _ => false,
        }
    }

    /// Whether ASCII bytes always stand for ASCII characters.
    pub(crate) fn has_plain_ascii(self) -> bool {
        match self {
            Self::Web(encoding) => encoding.is_ascii_compatible(),
            Self::Page(_) | Self::EucTw => true,
            _ => false,
        }
    }

    /// Whether zero bytes occur in characters other than NUL.
    pub(crate) fn has_wide_units(self) -> bool {
        matches!(self, Self::Utf16 | Self::Utf32 { .. })
            || self == Self::Web(UTF_16LE)
            || self == Self::Web(UTF_16BE)
    }
}

fn page<'b>(upper: &str, bytes: &'b [u8]) -> Cow<'b, str> {
    if let Ok(ascii) = std::str::from_utf8(bytes)
        && ascii.is_ascii()
    {
        return Cow::Borrowed(ascii);
    }
    let upper: Vec<char> = upper.chars().collect();
    let character = |byte: u8| match byte.checked_sub(0x80) {
        Some(index) => upper.get(usize::from(index)).copied().unwrap_or('\u{fffd}'),
        None => char::from(byte),
    };
    Cow::Owned(bytes.iter().map(|byte| character(*byte)).collect())
}

fn utf32(bytes: &[u8], is_little: bool) -> String {
    let from_bytes = if is_little { u32::from_le_bytes } else { u32::from_be_bytes };
    let (units, _) = bytes.as_chunks::<4>();
    let units = units.iter().map(|unit| char::from_u32(from_bytes(*unit)).unwrap_or('\u{fffd}'));
    let mut text: String = units.collect();
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    text
}

/// The byte order from the mark, or else from the position of zero bytes. The default is big endian.
fn utf16_order(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    let (even, odd) = zeros_by_place(&bytes[..bytes.len().min(8192)]);
    if odd > even { UTF_16LE } else { UTF_16BE }
}

/// How many bytes at even and at odd places are zero. In UTF-16 they are the upper halves of Latin letters.
pub(super) fn zeros_by_place(bytes: &[u8]) -> (usize, usize) {
    let zeros = |first: usize| bytes.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    (zeros(0), zeros(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_many_spellings_are_one_charset() {
        for (labels, bytes, expected) in [
            (
                &["cp850", "IBM850", "ibm-850", "csPC850Multilingual", "850", "dos-850"][..],
                &b"\x81\xe1"[..],
                "üß",
            ),
            (&["macintosh", "x-mac-roman", "MacRoman", "mac"], b"\x9f\xa7", "üß"),
            (&["latin1", "ISO_8859-1:1987", "iso8859_1", "8859_1", "windows-1252", "cp1252"], b"\xfc", "ü"),
            (&["latin9", "ISO-8859-15", "iso8859_15"], b"\xa4", "€"),
            (&["gb2312", "GB_2312-80", "cp936", "x-gbk", "euc-cn", "gb18030"], b"\xd6\xd0", "中"),
            (&["shift_jis", "Shift-JIS", "x-sjis", "cp932", "Windows-31J", "ms_kanji"], b"\x93\xfa", "日"),
            (&["ks_c_5601-1987", "euc-kr", "cp949", "uhc", "ms949"], b"\xc7\xd1", "한"),
            (&["utf8", "UTF-8", "utf8mb4", "utf_8"], "ü".as_bytes(), "ü"),
            (&["unicode-1-1-utf-7", "UTF-7", "utf7"], b"+APw-", "ü"),
            (&["tis-620", "cp874", "iso-8859-11"], b"\xa1", "ก"),
            (&["viscii"], b"\xf0", "đ"),
            (&["euc-tw", "x-euc-tw", "cns11643", "cp51950"], b"\xc4\xe3\x8e\xa2\xa1\xa1", "中乂"),
            (&["johab", "ms1361", "cp1361"], b"\xd0\x65\x8b\x69", "한글"),
            (&["utf-16", "utf-16le", "unicode"], b"\xfc\0a\0", "üa"),
            (&["utf-32le"], b"\xfc\0\0\0", "ü"),
        ] {
            for label in labels {
                let charset = Charset::named(label).unwrap_or_else(|| panic!("{label} is not known"));
                assert_eq!(charset.decode(bytes), expected, "{label}");
            }
        }
        for label in ["us-ascii", "unknown-8bit", "x-unknown", "", "replacement", "x-user-defined"] {
            assert_eq!(Charset::named(label), None, "{label}");
        }
    }

    #[test]
    fn every_page_has_128_characters() {
        for number in 0..2_000_000 {
            if let Some(upper) = pages::upper_half(number) {
                assert_eq!(upper.chars().count(), 128, "{number}");
            }
        }
    }
}
