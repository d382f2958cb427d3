//! The formats and their media types.

use image::ImageFormat;

/// The format of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// A PDF.
    Pdf,
    /// A Word document (Office Open XML).
    Docx,
    /// Rich Text Format.
    Rtf,
    /// A PowerPoint presentation (Office Open XML).
    Pptx,
    /// An Excel workbook (Office Open XML).
    Xlsx,
    /// An OpenDocument text.
    Odt,
    /// An OpenDocument spreadsheet.
    Ods,
    /// An OpenDocument presentation.
    Odp,
    /// A web page.
    Html,
    /// An SVG drawing, whose words are text.
    Svg,
    /// An email message with its headers.
    Mail,
    /// A `winmail.dat`: a mail as Outlook packs it for programs like itself (TNEF).
    Tnef,
    /// One JSON object or array.
    Json,
    /// JSON values, one per line.
    Ndjson,
    /// Records of separated fields.
    Csv,
    /// Any other text.
    Text,
    /// Text declared as Markdown.
    Markdown,
    /// Another named kind of text, which is passed through as it is: its media type.
    Source(String),
    /// An image.
    Image(ImageFormat),
    /// A format without a reader: its media type.
    Other(String),
}

pub(super) const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
pub(super) const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
pub(super) const ODT: &str = "application/vnd.oasis.opendocument.text";
pub(super) const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";
pub(super) const ODP: &str = "application/vnd.oasis.opendocument.presentation";
pub(super) const TNEF: &str = "application/vnd.ms-tnef";
pub(super) const UNKNOWN: &str = "application/octet-stream";

impl Format {
    /// The media type.
    pub(crate) fn media_type(&self) -> &str {
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
            Self::Tnef => TNEF,
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Text => "text/plain",
            Self::Markdown => "text/markdown",
            Self::Image(kind) => kind.to_mime_type(),
            Self::Source(media_type) | Self::Other(media_type) => media_type,
        }
    }

    /// Whether the file consists of text.
    pub(crate) fn is_textual(&self) -> bool {
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
