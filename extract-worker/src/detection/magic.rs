//! Binary formats, detected from the first bytes of a file.

use super::format::Format;
use super::media_types::from_media_type;
use crate::formats::rtf;
use crate::office::compound_file;
use crate::office::package::{Package, Parts};
use crate::pdf;
use dossier_extract::Limits;

/// Signatures that are sufficient on their own: no ordinary text begins with them.
const MAGIC: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"\x78\x9f\x3e\x22", "application/vnd.ms-tnef"),
    (b"\x7fELF", "application/x-executable"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"(\xb5/\xfd", "application/zstd"),
    (b"OggS\0", "application/ogg"),
    (b"fLaC\0", "audio/flac"),
    (b"ID3\x02", "audio/mpeg"),
    (b"ID3\x03", "audio/mpeg"),
    (b"ID3\x04", "audio/mpeg"),
    (b"%!PS", "application/postscript"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"\0asm", "application/wasm"),
];

/// The binary format of these bytes, if they have one.
pub(super) fn binary(bytes: &[u8], limits: &Limits) -> Option<Format> {
    let named = |media_type: &str| Some(from_media_type(media_type));
    if let Some((_, media_type)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return named(media_type);
    }
    if let Some(media_type) = compound_file::media_type(bytes) {
        return named(media_type);
    }
    match bytes {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => return Some(zipped(bytes, limits)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => return named("image/webp"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => return named("audio/wav"),
        // The first byte is zero because the `ftyp` box is never as long as 16 MiB.
        [0, _, _, _, b'f', b't', b'y', b'p', ..] => return named("video/mp4"),
        [b'B', b'Z', b'h', b'1'..=b'9', block @ ..] if is_bzip2_block(block) => {
            return named("application/x-bzip2");
        }
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', size @ ..] if is_gif_size(size) => {
            return named("image/gif");
        }
        _ if bytes.get(257..262) == Some(b"ustar") => return named("application/x-tar"),
        _ if rtf::is_rtf(bytes) => return Some(Format::Rtf),
        _ if is_bmp(bytes) => return named("image/bmp"),
        _ if is_portable_executable(bytes) => {
            return named("application/vnd.microsoft.portable-executable");
        }
        _ => {}
    }
    pdf::header::find(bytes).map(|_| Format::Pdf)
}

/// A block starts with the digits of pi; the trailer of an empty file starts with those of its square root.
fn is_bzip2_block(bytes: &[u8]) -> bool {
    bytes.starts_with(b"1AY&SY") || bytes.starts_with(b"\x17\x72\x45\x38\x50\x90")
}

/// Width and height contain bytes that text does not, unless both exceed 8000.
fn is_gif_size(bytes: &[u8]) -> bool {
    bytes.iter().take(4).any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
}

fn is_bmp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BM")
        && bytes.len() > 26
        && bytes[6..10] == [0; 4]
        && matches!(bytes[14], 12 | 40 | 52 | 56 | 64 | 108 | 124)
}

fn is_portable_executable(bytes: &[u8]) -> bool {
    let offset = || Some(u32::from_le_bytes(bytes.get(0x3c..0x40)?.try_into().ok()?) as usize);
    bytes.starts_with(b"MZ")
        && offset().and_then(|at| bytes.get(at..at.checked_add(4)?)).is_some_and(|sign| sign == b"PE\0\0")
}

fn zipped(bytes: &[u8], limits: &Limits) -> Format {
    match Parts::open(bytes, limits).map(|mut parts| parts.package()) {
        Ok(Ok(Package::Word)) => Format::Docx,
        Ok(Ok(Package::Presentation)) => Format::Pptx,
        Ok(Ok(Package::Workbook)) => Format::Xlsx,
        Ok(Ok(Package::OpenText)) => Format::Odt,
        Ok(Ok(Package::OpenSheets)) => Format::Ods,
        Ok(Ok(Package::OpenSlides)) => Format::Odp,
        Ok(Err(media_type)) => Format::Other(media_type),
        Err(_) => Format::Other("application/zip".to_owned()),
    }
}
