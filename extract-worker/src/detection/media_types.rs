//! Maps a declared media type to a format.

use super::format::{DOCX, Format, ODP, ODS, ODT, PPTX, TNEF, UNKNOWN, XLSX};
use crate::images::image_file;

/// The format for a media type. Parameters such as `; charset=…` are ignored.
pub(super) fn from_media_type(media_type: &str) -> Format {
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
        ODT
        | "application/vnd.oasis.opendocument.text-template"
        | "application/vnd.oasis.opendocument.text-flat-xml" => Format::Odt,
        ODS
        | "application/vnd.oasis.opendocument.spreadsheet-template"
        | "application/vnd.oasis.opendocument.spreadsheet-flat-xml" => Format::Ods,
        ODP
        | "application/vnd.oasis.opendocument.presentation-template"
        | "application/vnd.oasis.opendocument.presentation-flat-xml" => Format::Odp,
        "application/rtf" | "text/rtf" | "application/x-rtf" => Format::Rtf,
        "message/rfc822" | "message/global" => Format::Mail,
        TNEF | "application/ms-tnef" => Format::Tnef,
        _ if essence.is_empty() => Format::Other(UNKNOWN.to_owned()),
        _ => {
            let essence: String = essence.chars().filter(char::is_ascii_graphic).take(100).collect();
            let picture = image_file::named(&essence).map(Format::Image);
            picture.or_else(|| text_format(&essence)).unwrap_or(Format::Other(essence))
        }
    }
}

/// The text format for a media type (lower case, without parameters); `None` if it is not a text format.
fn text_format(media_type: &str) -> Option<Format> {
    Some(match media_type {
        "text/html" | "application/xhtml+xml" => Format::Html,
        "image/svg+xml" => Format::Svg,
        "application/json" | "text/json" => Format::Json,
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines"
        | "application/json-lines" => Format::Ndjson,
        "text/csv" | "application/csv" | "text/tab-separated-values" => Format::Csv,
        "text/markdown" | "text/x-markdown" => Format::Markdown,
        "text/plain" => Format::Text,
        _ if media_type.starts_with("text/") || is_source(media_type) => {
            Format::Source(media_type.to_owned())
        }
        _ => return None,
    })
}

/// Whether a media type outside `text/` is text.
fn is_source(media_type: &str) -> bool {
    let Some(kind) = media_type.strip_prefix("application/") else { return false };
    let kinds = [
        "xml",
        "xml-dtd",
        "yaml",
        "x-yaml",
        "toml",
        "javascript",
        "x-javascript",
        "ecmascript",
        "typescript",
        "sql",
        "x-sh",
        "x-shellscript",
        "x-httpd-php",
        "x-tex",
        "x-latex",
        "x-bibtex",
        "x-subrip",
        "graphql",
        "x-perl",
        "x-python",
        "x-ruby",
        "x-log",
    ];
    kinds.contains(&kind) || kind.ends_with("+xml") || kind.ends_with("+json") || kind.ends_with("+yaml")
}
