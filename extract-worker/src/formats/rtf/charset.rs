//! The charsets of RTF: code page numbers, and the numbers that fonts use.

use crate::input::charset::{Charset, MACINTOSH_PAGE};

/// The code pages of `\mac`, `\pc` and `\pca`.
pub(super) const MACINTOSH: i32 = 10_000;
pub(super) const PC: i32 = 437;
pub(super) const PS2: i32 = 850;

/// The charset of `\ansicpg` or `\cpg`.
pub(super) fn of_code_page(number: i32) -> Option<Charset> {
    // 0 is the system's default.
    let number = if number == 0 { 1252 } else { u32::try_from(number).ok()? };
    // RTF cannot contain UTF-16.
    Charset::of_code_page(number).filter(|charset| !charset.has_wide_units())
}

/// The charset for a font's `\fcharset`; `None` means the document's charset.
pub(super) fn of_font(charset: i32) -> Option<Charset> {
    Charset::of_code_page(match charset {
        0 | 2 => 1252,
        77 => MACINTOSH_PAGE,
        78 | 128 => 932,
        79 | 129 | 130 => 949,
        80 | 134 => 936,
        81 | 136 => 950,
        83 => 10_006,
        85 => 10_081,
        88 => 10_029,
        89 => 10_007,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178..=180 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        254 => 437,
        _ => return None,
    })
}
