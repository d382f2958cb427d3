//! The names of charsets, in the many spellings that programs use.

use super::{Charset, pages};
use encoding_rs::{
    EUC_JP, EUC_KR, Encoding, GB18030, ISO_2022_JP, ISO_8859_13, ISO_8859_14, ISO_8859_15, ISO_8859_16,
    REPLACEMENT, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_874, X_MAC_CYRILLIC, X_USER_DEFINED,
};

/// Maximum length of a name.
const LONGEST: usize = 60;

pub(super) fn charset(label: &str) -> Option<Charset> {
    let label = label.trim().get(..LONGEST).unwrap_or(label.trim());
    let plain: String =
        label.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    known(&plain).or_else(|| web(label)).or_else(|| numbered(&plain))
}

/// Names that browsers do not know or interpret differently, without punctuation.
fn known(plain: &str) -> Option<Charset> {
    Some(match plain {
        "utf7" | "unicode11utf7" | "xunicode20utf7" | "csutf7" => Charset::Utf7,
        "utf16" | "ucs2" | "unicode" | "iso10646ucs2" | "csunicode" | "csutf16" => Charset::Utf16,
        "utf16be" | "unicodefffe" => Charset::Web(UTF_16BE),
        "utf16le" | "unicodefeff" => Charset::Web(UTF_16LE),
        "utf32" | "ucs4" | "utf32be" | "iso10646ucs4" => Charset::Utf32 { is_little: false },
        "utf32le" => Charset::Utf32 { is_little: true },
        "hz" | "hzgb2312" => Charset::Hz,
        "iso2022kr" | "csiso2022kr" => Charset::Iso2022Kr,
        "iso2022cn" | "iso2022cnext" => Charset::Iso2022Cn,
        _ if plain.starts_with("iso2022jp") => Charset::Web(ISO_2022_JP),
        _ if plain.starts_with("utf8") => Charset::Web(UTF_8),
        "latin7" => Charset::Web(ISO_8859_13),
        "latin8" => Charset::Web(ISO_8859_14),
        "latin9" | "latin0" => Charset::Web(ISO_8859_15),
        "latin10" => Charset::Web(ISO_8859_16),
        "euccn" | "gb231280" | "eucgb2312cn" | "gb" => Charset::Web(GB18030),
        "uhc" | "ksx1001" => Charset::Web(EUC_KR),
        "johab" | "ksc56011992" => Charset::Johab,
        "euctw" | "xeuctw" | "cns11643" | "cseuctw" => Charset::EucTw,
        "windows31j" | "sjis" | "xsjis" | "mskanji" | "shiftjis" => Charset::Web(SHIFT_JIS),
        "ujis" | "eucjpms" => Charset::Web(EUC_JP),
        "tis620" | "tis6202533" => Charset::Web(WINDOWS_874),
        "mac" | "macroman" | "xmacroman" | "applemacintosh" => return Charset::of_code_page(10_000),
        "maccyrillic" | "macukrainian" | "macukraine" => Charset::Web(X_MAC_CYRILLIC),
        "xmacgreek" | "macgreek" => return Charset::of_code_page(10_006),
        "xmacromanian" | "macromanian" | "macromania" => return Charset::of_code_page(10_010),
        "xmacce" | "macce" | "maccentraleurope" | "maclatin2" | "xmaccentraleurroman" => {
            return Charset::of_code_page(10_029);
        }
        "xmacicelandic" | "xmaciceland" | "maciceland" => return Charset::of_code_page(10_079),
        "xmacturkish" | "macturkish" => return Charset::of_code_page(10_081),
        "xmaccroatian" | "maccroatian" => return Charset::of_code_page(10_082),
        "roman8" | "hproman8" | "r8" => return Charset::of_code_page(1051),
        "viscii" | "viscii11" | "csviscii" => return Charset::of_code_page(pages::VISCII),
        "koi8t" => return Charset::of_code_page(pages::KOI8_T),
        "ptcp154" | "cp154" | "cyrillicasian" => return Charset::of_code_page(pages::PTCP154),
        "kz1048" | "rk1048" | "strk10482002" => return Charset::of_code_page(pages::KZ1048),
        _ => return None,
    })
}

/// Names that browsers know. They treat ASCII as windows-1252, but a file declared as ASCII says nothing about its
/// other bytes.
fn web(label: &str) -> Option<Charset> {
    let lower = label.to_ascii_lowercase();
    if lower.contains("ascii") || lower.starts_with("ansi_x3") {
        return None;
    }
    let encoding = Encoding::for_label(lower.as_bytes())?;
    (encoding != REPLACEMENT && encoding != X_USER_DEFINED).then_some(Charset::Web(encoding))
}

/// Names that contain a number: `iso8859_2`, `cp850`, `ibm-850`, `windows-936`, `850`.
fn numbered(plain: &str) -> Option<Charset> {
    if let Some(part) = plain.strip_prefix("iso8859").or_else(|| plain.strip_prefix("8859")) {
        // `iso_8859-1:1987` has a year.
        let part = part.strip_suffix("1987").or_else(|| part.strip_suffix("1988")).unwrap_or(part);
        return web(&format!("iso-8859-{part}"));
    }
    let prefixes =
        ["cspc", "csibm", "ibm", "cp", "dos", "windows", "win", "ms", "oem", "pc", "codepage", "x", ""];
    let after = prefixes.iter().find_map(|prefix| {
        plain.strip_prefix(prefix).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })?;
    let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().and_then(Charset::of_code_page)
}
