//! What a file is, told by its bytes and never by a name.

use crate::zip_parts::{Package, Parts};
use crate::{picture, rtf, text, text_kind};
use dossier_extract::Limits;
use dossier_extract::protocol::Failure;
use image::ImageFormat;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A PDF.
    Pdf,
    /// A Word document of the XML kind.
    Docx,
    /// Rich Text Format.
    Rtf,
    /// A PowerPoint presentation of the XML kind.
    Pptx,
    /// An Excel workbook of the XML kind.
    Xlsx,
    /// An OpenDocument text.
    Odt,
    /// An OpenDocument spreadsheet.
    Ods,
    /// An OpenDocument presentation.
    Odp,
    /// A web page.
    Html,
    /// A drawing whose words are text.
    Svg,
    /// A mail, with its headers.
    Mail,
    /// One JSON value, an object or an array.
    Json,
    /// JSON values, a line each.
    Ndjson,
    /// Rows of separated fields.
    Csv,
    /// Any other text.
    Text,
    /// Text whose author calls it Markdown.
    Markdown,
    /// Text that is read as it stands, of a kind that has a name: its media type.
    Source(String),
    /// A picture.
    Image(ImageFormat),
    /// Anything that no text is read from: its media type.
    Other(String),
}

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const ODT: &str = "application/vnd.oasis.opendocument.text";
const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";
const ODP: &str = "application/vnd.oasis.opendocument.presentation";
const UNKNOWN: &str = "application/octet-stream";

impl Format {
    /// The media type.
    #[must_use]
    pub fn media_type(&self) -> &str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => DOCX,
            Self::Pptx => PPTX,
            Self::Xlsx => XLSX,
            Self::Odt => ODT,
            Self::Ods => ODS,
            Self::Odp => ODP,
            Self::Rtf => "application/rtf",
            Self::Html => "text/html",
            Self::Svg => "image/svg+xml",
            Self::Mail => "message/rfc822",
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Text => "text/plain",
            Self::Markdown => "text/markdown",
            Self::Image(kind) => kind.to_mime_type(),
            Self::Source(media_type) | Self::Other(media_type) => media_type,
        }
    }

    /// Whether reading it is decoding text.
    #[must_use]
    pub fn is_textual(&self) -> bool {
        matches!(
            self,
            Self::Html
                | Self::Svg
                | Self::Json
                | Self::Ndjson
                | Self::Csv
                | Self::Text
                | Self::Markdown
                | Self::Source(_)
        )
    }
}

/// The format that a media type names; parameters (`; charset=…`) are ignored.
#[must_use]
pub fn from_media_type(media_type: &str) -> Format {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/pdf" | "application/x-pdf" => Format::Pdf,
        DOCX
        | "application/vnd.openxmlformats-officedocument.wordprocessingml.template"
        | "application/vnd.ms-word.document.macroenabled.12"
        | "application/vnd.ms-word.template.macroenabled.12" => Format::Docx,
        PPTX
        | "application/vnd.openxmlformats-officedocument.presentationml.slideshow"
        | "application/vnd.openxmlformats-officedocument.presentationml.template"
        | "application/vnd.ms-powerpoint.presentation.macroenabled.12"
        | "application/vnd.ms-powerpoint.slideshow.macroenabled.12"
        | "application/vnd.ms-powerpoint.template.macroenabled.12" => Format::Pptx,
        XLSX
        | "application/vnd.openxmlformats-officedocument.spreadsheetml.template"
        | "application/vnd.ms-excel.sheet.macroenabled.12"
        | "application/vnd.ms-excel.template.macroenabled.12" => Format::Xlsx,
        ODT | "application/vnd.oasis.opendocument.text-template" => Format::Odt,
        ODS | "application/vnd.oasis.opendocument.spreadsheet-template" => Format::Ods,
        ODP | "application/vnd.oasis.opendocument.presentation-template" => Format::Odp,
        "application/rtf" | "text/rtf" | "application/x-rtf" => Format::Rtf,
        "message/rfc822" | "message/global" => Format::Mail,
        _ if essence.is_empty() => Format::Other(UNKNOWN.to_owned()),
        _ => {
            let essence: String = essence.chars().filter(char::is_ascii_graphic).take(100).collect();
            let picture = picture::named(&essence).map(Format::Image);
            picture.or_else(|| text_kind::named(&essence)).unwrap_or(Format::Other(essence))
        }
    }
}

/// The format to read a file as that is declared to be of a media type.
///
/// Text is told apart by nothing but what it is called, so a declaration decides between kinds of text; other
/// formats are told by their bytes. A binary file that is declared to be text is no text.
pub(crate) fn declared(media_type: &str, bytes: &[u8], limits: &Limits) -> Result<Format, Failure> {
    let declared = from_media_type(media_type);
    // Mail may hold anything, and its reader refuses what has no headers.
    if declared == Format::Mail {
        return Ok(declared);
    }
    let found = detect(bytes, limits);
    let is_text = found.is_textual() || found == Format::Mail;
    let is_unknown = matches!(&found, Format::Other(found) if found == UNKNOWN);
    if declared.is_textual() {
        let found = if is_unknown { "no text" } else { found.media_type() };
        return if is_text { Ok(declared) } else { Err(not_as_declared(found, media_type)) };
    }
    let stays = match declared {
        // Nothing reads what it is called; what it is may be read.
        Format::Other(_) => is_unknown,
        // Its reader says what is wrong, or finds what is left.
        _ => is_text || matches!(found, Format::Other(_)),
    };
    Ok(if stays { declared } else { found })
}

fn not_as_declared(found: &str, declared: &str) -> Failure {
    Failure::Malformed { reason: format!("it is declared to be {declared}, and is {found}") }
}

/// How far into a file a PDF header may stand: as far as other readers look.
const PDF_HEADER_WITHIN: usize = 1024;

/// First bytes that say everything: no ordinary text begins with them.
const MAGIC: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
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

/// What the bytes are.
#[must_use]
pub fn detect(bytes: &[u8], limits: &Limits) -> Format {
    if bytes.is_empty() {
        return Format::Text;
    }
    if let Some(format) = binary(bytes, limits) {
        return format;
    }
    match text::decode_if_text(bytes) {
        Some(decoded) => text_kind::detect(&decoded),
        None => Format::Other(UNKNOWN.to_owned()),
    }
}

fn binary(bytes: &[u8], limits: &Limits) -> Option<Format> {
    let named = |media_type: &str| Some(from_media_type(media_type));
    if let Some((_, media_type)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return named(media_type);
    }
    match bytes {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => return Some(zipped(bytes, limits)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => return named("image/webp"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => return named("audio/wav"),
        // The box with the file's type is never 16 MiB long.
        [0, _, _, _, b'f', b't', b'y', b'p', ..] => return named("video/mp4"),
        [b'B', b'Z', b'h', b'1'..=b'9', block @ ..] if is_bzip2_block(block) => {
            return named("application/x-bzip2");
        }
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', size @ ..] if is_gif_size(size) => {
            return named("image/gif");
        }
        _ if bytes.starts_with(COMPOUND) => return named(compound(bytes)),
        _ if rtf::is_rtf(bytes) => return Some(Format::Rtf),
        _ if is_bmp(bytes) => return named("image/bmp"),
        _ if is_portable_executable(bytes) => {
            return named("application/vnd.microsoft.portable-executable");
        }
        _ => {}
    }
    let head = &bytes[..bytes.len().min(PDF_HEADER_WITHIN)];
    find(head, b"%PDF-").is_some_and(|at| at == 0 || !is_prose(&head[..at])).then_some(Format::Pdf)
}

/// What stands before a PDF's header is rubbish of a few lines at most, not an essay about PDF.
fn is_prose(before: &[u8]) -> bool {
    before.len() > 64
        && before.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
        && before.iter().filter(|byte| byte.is_ascii_alphabetic()).count() * 2 > before.len()
}

/// A block's first bytes are the digits of pi, those of an empty file's end the digits of its root.
fn is_bzip2_block(bytes: &[u8]) -> bool {
    bytes.starts_with(b"1AY&SY") || bytes.starts_with(b"\x17\x72\x45\x38\x50\x90")
}

/// A picture's width and height hold bytes that text does not, unless both are beyond 8000.
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

const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Whether this is an Office file under a password.
pub(crate) fn is_encrypted_office(bytes: &[u8]) -> bool {
    bytes.starts_with(COMPOUND) && compound(bytes) == ENCRYPTED_OFFICE
}

/// Microsoft's compound file: old Office formats, and new ones under a password.
fn compound(bytes: &[u8]) -> &'static str {
    let contains = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        find(bytes, &wide).is_some()
    };
    if contains("EncryptedPackage") {
        ENCRYPTED_OFFICE
    } else if contains("WordDocument") {
        "application/msword"
    } else if contains("Workbook") {
        "application/vnd.ms-excel"
    } else if contains("PowerPoint Document") {
        "application/vnd.ms-powerpoint"
    } else {
        "application/x-ole-storage"
    }
}

/// The media type of an Office file under a password.
pub(crate) const ENCRYPTED_OFFICE: &str = "application/vnd.ms-office.encrypted";

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}
