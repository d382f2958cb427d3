//! The formats, and their media types.

use image::ImageFormat;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
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

pub(super) const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
pub(super) const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
pub(super) const ODT: &str = "application/vnd.oasis.opendocument.text";
pub(super) const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";
pub(super) const ODP: &str = "application/vnd.oasis.opendocument.presentation";
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
