//! Documents, their pages, and uploads.

use super::{FileError, Metadata, Time};
use utoipa::ToSchema;
use uuid::Uuid;

/// How far a document is. The last three are final.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum DocumentStatus {
    Uploading,
    Stored,
    Extracting,
    Ready,
    Unsupported,
    Failed,
}

/// OCR of pages whose text is in images, which follows `ready`.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum OcrStatus {
    None,
    Pending,
    Running,
    Done,
    Incomplete,
    Unavailable,
}

/// An uploaded file.
#[derive(ToSchema)]
pub(crate) struct Document {
    id: Uuid,
    session_id: Uuid,
    organization_id: Uuid,
    /// The file name, without a path.
    name: String,
    media_type: String,
    /// Null while the bytes arrive, if the size was not declared.
    #[schema(required, minimum = 0)]
    size_bytes: Option<i64>,
    /// Hexadecimal digest of the bytes. Null while they arrive.
    #[schema(required)]
    sha256: Option<String>,
    status: DocumentStatus,
    /// Why it failed or is unsupported, for programs. With `ready` it is a notice: `needs_ocr`, `ocr_incomplete`.
    #[schema(required)]
    error_code: Option<String>,
    /// The same for people.
    #[schema(required)]
    error_message: Option<String>,
    /// How many pages of text were extracted.
    #[schema(required)]
    page_count: Option<i32>,
    /// Estimated tokens of the text for a language model.
    #[schema(required)]
    token_count: Option<i64>,
    /// Detected language: an ISO 639-3 code.
    #[schema(required)]
    language: Option<String>,
    ocr_status: OcrStatus,
    /// How many pages OCR has finished, of `ocr_pages`.
    #[schema(required)]
    ocr_page: Option<i32>,
    #[schema(required)]
    ocr_pages: Option<i32>,
    metadata: Metadata,
    /// What the file says about itself: title, author, outline and so on.
    file_metadata: Metadata,
    created_at: Time,
    updated_at: Time,
}

/// A list of documents.
#[derive(ToSchema)]
pub(crate) struct Documents {
    documents: Vec<Document>,
    /// Send it as `after`. Null on the last page.
    #[schema(required)]
    next: Option<String>,
}

/// All documents that were asked for.
#[derive(ToSchema)]
pub(crate) struct KnownDocuments {
    documents: Vec<Document>,
}

/// All files of a form are stored.
#[derive(ToSchema)]
pub(crate) struct Uploaded {
    documents: Vec<Document>,
}

/// Some files of a form are stored, others are not.
#[derive(ToSchema)]
pub(crate) struct PartlyUploaded {
    documents: Vec<Document>,
    errors: Vec<FileError>,
}

/// Changes of a document. Omitted members stay as they are.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentChanges {
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    name: Option<String>,
    /// Replaces the whole object.
    #[schema(nullable = false)]
    metadata: Option<Metadata>,
    /// An ISO 639-3 code, which decides how search stems the text, or null.
    #[schema(pattern = "^[a-z]{3}$")]
    language: Option<String>,
}

/// Whether the extraction reads words in images: where a page needs it, on every page, or not at all.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum OcrMode {
    Auto,
    Force,
    Never,
}

/// A SHA-256 digest in hexadecimal.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-fA-F]{64}$")]
pub(crate) struct Digest(String);

/// The format of text.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum TextFormat {
    Text,
    Markdown,
}

/// The form of an upload. Fields apply to the files after them. Files may be in any field.
#[derive(ToSchema)]
pub(crate) struct UploadForm {
    /// The session. It may be sent in the query instead.
    #[schema(nullable = false)]
    session_id: Option<Uuid>,
    /// A JSON object, for the app.
    #[schema(nullable = false)]
    metadata: Option<Metadata>,
    /// The bytes of a file, with its name and type.
    #[schema(value_type = Vec<String>, format = Binary, min_items = 1, content_media_type = "application/octet-stream")]
    file: Vec<Vec<u8>>,
}

/// Where the text of a page comes from: the file itself, or recognized in an image.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum TextSource {
    Text,
    Ocr,
}

/// The text of a page in a list.
#[derive(ToSchema)]
pub(crate) struct ListedPage {
    #[schema(minimum = 1)]
    page: i32,
    text: String,
    source: TextSource,
    /// Confidence of OCR in its words, from 0 to 1. Null if `source` is `text`.
    #[schema(required)]
    confidence: Option<f64>,
    #[schema(required)]
    engine: Option<String>,
    /// How good the text looks, from 0 to 1.
    #[schema(required)]
    quality: Option<f64>,
    /// Why this engine was used, if there was a choice.
    #[schema(required)]
    reason: Option<String>,
    #[schema(required)]
    token_count: Option<i32>,
    /// Of a PDF: what was detected on the page.
    #[schema(required)]
    structure: Option<PageStructure>,
}

/// Pages of a document.
#[derive(ToSchema)]
pub(crate) struct Pages {
    pages: Vec<ListedPage>,
    /// Send it as `after`. Null on the last page.
    #[schema(required)]
    next: Option<i32>,
}

/// The text of one page.
#[derive(ToSchema)]
pub(crate) struct Page {
    document_id: Uuid,
    #[schema(minimum = 1)]
    page: i32,
    text: String,
    source: TextSource,
    /// Confidence of OCR in its words, from 0 to 1. Null if `source` is `text`.
    #[schema(required)]
    confidence: Option<f64>,
    #[schema(required)]
    engine: Option<String>,
    /// How good the text looks, from 0 to 1.
    #[schema(required)]
    quality: Option<f64>,
    /// Why this engine was used, if there was a choice.
    #[schema(required)]
    reason: Option<String>,
    #[schema(required)]
    token_count: Option<i32>,
    /// Of a PDF: what was detected on the page.
    #[schema(required)]
    structure: Option<PageStructure>,
    /// Only with `q`: the text as HTML. Everything is escaped except the matches, which are in `<mark>`.
    #[schema(nullable = false)]
    html: Option<String>,
}

/// What was detected on a page.
#[derive(ToSchema)]
pub(crate) struct PageStructure {
    headings: Vec<Heading>,
    /// Text that the document's pages repeat at their top or bottom.
    running_heads: Vec<String>,
    tables: Vec<TableOutline>,
}

/// A heading.
#[derive(ToSchema)]
pub(crate) struct Heading {
    #[schema(minimum = 1)]
    level: i32,
    text: String,
}

/// How a table was detected: rules around its cells, rules between rows, or alignment of words.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum TableEvidence {
    Grid,
    Rules,
    Alignment,
}

/// A table without its cells.
#[derive(ToSchema)]
pub(crate) struct TableOutline {
    rows: i32,
    columns: i32,
    header_rows: i32,
    evidence: TableEvidence,
    /// From 0 to 1.
    confidence: f64,
    /// Left, top, right and bottom in points, from the top left of the page.
    #[schema(min_items = 4, max_items = 4)]
    r#box: Vec<f64>,
}

/// A table with its cells.
#[derive(ToSchema)]
pub(crate) struct Table {
    /// Counted on its page, from 1.
    #[schema(minimum = 1)]
    number: i32,
    rows: i32,
    columns: i32,
    header_rows: i32,
    evidence: TableEvidence,
    /// From 0 to 1.
    confidence: f64,
    /// Left, top, right and bottom in points, from the top left of the page.
    #[schema(min_items = 4, max_items = 4)]
    r#box: Vec<f64>,
    /// Positions that a span covers have no cell. Empty on pages with too many cells.
    cells: Vec<Cell>,
}

/// A cell of a table.
#[derive(ToSchema)]
pub(crate) struct Cell {
    #[schema(minimum = 0)]
    row: i32,
    #[schema(minimum = 0)]
    column: i32,
    row_span: i32,
    column_span: i32,
    text: String,
    #[schema(min_items = 4, max_items = 4)]
    r#box: Vec<f64>,
}

/// The tables of a page.
#[derive(ToSchema)]
pub(crate) struct Tables {
    document_id: Uuid,
    page: i32,
    tables: Vec<Table>,
}

/// URLs that need no token, relative to the edge.
#[derive(ToSchema)]
pub(crate) struct DocumentUrls {
    content: String,
    thumbnail: String,
    expires_at: Time,
}

/// The state of a document as an event.
#[derive(ToSchema)]
pub(crate) struct DocumentEvent {
    id: Uuid,
    name: String,
    status: DocumentStatus,
    /// How many pages OCR has finished, of `pages`.
    #[schema(required)]
    page: Option<i32>,
    #[schema(required)]
    pages: Option<i32>,
    ocr_status: OcrStatus,
    #[schema(required)]
    page_count: Option<i32>,
    #[schema(required)]
    error_code: Option<String>,
    #[schema(required)]
    error_message: Option<String>,
    #[schema(required)]
    hint: Option<String>,
    updated_at: Time,
}

/// An unfinished upload.
#[derive(ToSchema)]
pub(crate) struct Upload {
    /// The id of the document.
    id: Uuid,
    session_id: Uuid,
    name: String,
    media_type: String,
    metadata: Metadata,
    /// Null if it is not known yet.
    #[schema(required)]
    size_bytes: Option<i64>,
    /// How many bytes are stored.
    offset: i64,
    created_at: Time,
    expires_at: Time,
}

/// The caller's unfinished uploads.
#[derive(ToSchema)]
pub(crate) struct Uploads {
    uploads: Vec<Upload>,
    /// Send it as `after`. Null on the last page.
    #[schema(required)]
    next: Option<String>,
}

/// Whether an upload would be accepted.
#[derive(ToSchema)]
pub(crate) struct UploadExplanation {
    allowed: bool,
    checks: Vec<UploadCheck>,
}

/// A check of an upload. The members of the error are null if it passes.
#[derive(ToSchema)]
pub(crate) struct UploadCheck {
    name: String,
    /// Null if it could not be made: callers that cannot write to the session do not learn the organization's quotas.
    #[schema(required)]
    passed: Option<bool>,
    /// What it concerns: a claim, a role, a setting, a quota.
    concerns: String,
    #[schema(required)]
    code: Option<String>,
    #[schema(required)]
    message: Option<String>,
    #[schema(required)]
    details: Option<String>,
    #[schema(required)]
    hint: Option<String>,
}
