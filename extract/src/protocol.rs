//! The protocol between parent and worker.
//!
//! The request is the worker's argument list ([`crate::Invocation`]). The file is its standard input, a
//! sealed memory descriptor. The worker replies on standard output with one JSON value per line:
//!
//! 1. [`Reply::Hello`], before it even parses its arguments, so that a parent of another version knows why the
//!    worker is of no use;
//! 2. [`Reply::Isolated`], once it is in the sandbox;
//! 3. at most one [`Reply::Language`], as soon as it is certain;
//! 4. a [`Reply::Page`] for each page as soon as it is read (during OCR, a [`Reply::Unread`] for each page that
//!    fails), or one [`Reply::Thumbnail`];
//! 5. exactly one [`Reply::Done`] or [`Reply::Failed`].
//!
//! Output without that final line counts as a crash. A worker that does not begin with the greeting of this
//! version has not seen the file: that is a fault of the host, and the file can be tried again.
//!
//! Invariant: the parent trusts nothing it reads here; [`crate::Extractor`] checks every field.
//! The file is long because the whole protocol is here, so that anyone who changes a reply sees all of them.

pub use crate::characters::is_clean;
use crate::structure::PageStructure;
use crate::thumbnail::Thumbnail;
use serde::{Deserialize, Serialize};

/// The version of this protocol. Raise it with every change to a reply or an argument.
pub const VERSION: u32 = 3;

/// What to extract, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The media type to read the bytes as; `None` detects it.
    pub media_type: Option<String>,
    /// The PDF engine to try first; the others remain as fallbacks.
    pub pdf_engine: Option<PdfEngine>,
    /// How headings, lists and tables are written.
    pub format: TextFormat,
    /// Whether to report the structure of pages in addition to plain text ([`Page::structure`]).
    pub structure: bool,
    /// When to run OCR.
    pub ocr: Ocr,
}

/// When to run OCR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Ocr {
    /// Never.
    Never,
    /// On images, and on PDF pages that show an image and have no usable text.
    #[default]
    Auto,
    /// On every page of an image or a PDF, even if it has text.
    Force,
}

impl Ocr {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Never, Self::Auto, Self::Force];

    /// The name used in arguments and SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Auto => "auto",
            Self::Force => "force",
        }
    }

    /// The mode with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ocr| ocr.name() == name)
    }
}

/// How the structure of the text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum TextFormat {
    /// Plain text: one line per paragraph and one per table row.
    #[default]
    Text,
    /// Markdown (`CommonMark` with GitHub's tables) for files that have structure.
    Markdown,
}

impl TextFormat {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Text, Self::Markdown];

    /// The name used in arguments and SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
        }
    }

    /// The format with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// A library that reads PDF text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum PdfEngine {
    /// `hayro`: fast; lines and reading order are assembled by our own code.
    Hayro,
    /// `pdf-extract`: a second opinion.
    PdfExtract,
}

impl PdfEngine {
    /// All engines, best first.
    pub const ALL: [Self; 2] = [Self::Hayro, Self::PdfExtract];

    /// The name used in arguments, settings and [`Page::engine`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hayro => "hayro",
            Self::PdfExtract => "pdf-extract",
        }
    }

    /// The engine with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }
}

/// Where the text of a page comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageSource {
    /// Text contained in the file itself.
    Text,
    /// Text recognised in an image.
    Ocr,
}

/// One page, sheet or other unit of a file's text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// From 1.
    pub page: u32,
    /// Contains no control characters except `\n`, `\t` and `\f`; in particular no NUL, which Postgres's
    /// `text` cannot store.
    pub text: String,
    /// Where `text` comes from.
    pub source: PageSource,
    /// For [`PageSource::Ocr`], the mean confidence of the words, 0 to 1.
    pub confidence: Option<f32>,
    /// The name of the reader, for example `hayro` or `docx`.
    pub engine: String,
    /// How good the text looks, 0 to 1, if the reader can tell.
    #[serde(default)]
    pub quality: Option<f32>,
    /// Why this reader was chosen: a short phrase for people, if there was a choice.
    #[serde(default)]
    pub reason: Option<String>,
    /// Headings, running heads and tables of a PDF's page, if Markdown or the structure was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structure: Option<PageStructure>,
}

/// A file's own metadata. Times are RFC 3339. Nothing here is verified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The document's title; a mail's subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The keywords, in one string as the file has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keywords: Option<String>,
    /// The program that created the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub producer: Option<String>,
    /// When it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// The file's own page labels (`iv`, `A-1`, a sheet name): one for each page, or an empty list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub page_labels: Vec<String>,
    /// Bookmarks, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outline: Vec<OutlineEntry>,
    /// Names of embedded files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
}

/// One bookmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutlineEntry {
    /// From 1, the outermost.
    pub level: u8,
    /// Its text.
    pub title: String,
    /// The page it points to, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
}

/// How a worker is isolated. Each entry names a layer, with the reason if it is not active.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Isolation {
    /// Required layers that are not active. Empty unless the operator accepts missing layers.
    pub missing: Vec<String>,
    /// Further layers that are active.
    pub further: Vec<String>,
    /// Further layers that this host does not allow.
    pub unavailable: Vec<String>,
}

/// A complete result, assembled by the client.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extraction {
    /// The media type of the file.
    pub media_type: String,
    /// All pages, in order, from 1 without gaps.
    pub pages: Vec<Page>,
    /// The file's own metadata.
    pub metadata: Metadata,
    /// The detected main language of the text: an ISO 639-3 code.
    pub language: Option<String>,
    /// Pages (from 1) that show an image, have no usable text, and have not gone through OCR.
    pub needs_ocr: Vec<u32>,
    /// The outcome of OCR.
    pub ocr: OcrOutcome,
    /// How the worker that read the text was isolated.
    pub isolation: Isolation,
}

/// Pages of a file that is still being read.
#[derive(Debug, Clone, PartialEq)]
pub struct PagesRead {
    /// The next pages, in order.
    pub pages: Vec<Page>,
    /// What is known of the language of the text.
    pub language: LanguageSoFar,
}

/// What is known of the language of a file that is still being read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LanguageSoFar {
    /// Further pages decide.
    #[default]
    Undecided,
    /// As [`Extraction::language`], whatever further pages contain.
    Decided(Option<String>),
}

/// The outcome of OCR. `pages` counts the pages that OCR finished, whether or not it found words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum OcrOutcome {
    /// No page needs OCR.
    #[default]
    NotNeeded,
    /// Pages need OCR ([`Extraction::needs_ocr`]), but the request said never.
    NotAsked,
    /// Pages wait for OCR; see [`crate::Extractor::extract_text`].
    Pending {
        /// Their numbers, in ascending order.
        pages: Vec<u32>,
        /// Pages that need OCR, but are more than the limit allows.
        beyond: Vec<u32>,
        /// Why, for people, if there are such pages.
        reason: Option<String>,
    },
    /// OCR finished on every page that needs it.
    Complete {
        /// How many pages.
        pages: u32,
    },
    /// OCR did not finish some pages, because of a limit or an unreadable page; see [`Page::reason`].
    Incomplete {
        /// How many pages.
        pages: u32,
        /// The first problem, for people.
        reason: String,
    },
    /// Tesseract or its data for a language is not installed on this machine.
    Missing {
        /// How to install the missing software, for people.
        reason: String,
    },
}

impl OcrOutcome {
    /// A stable name in `snake_case`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotNeeded => "not_needed",
            Self::NotAsked => "not_asked",
            Self::Pending { .. } => "pending",
            Self::Complete { .. } => "complete",
            Self::Incomplete { .. } => "incomplete",
            Self::Missing { .. } => "missing",
        }
    }

    /// An explanation for people, if something went wrong.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Incomplete { reason, .. } | Self::Missing { reason } => Some(reason),
            Self::NotNeeded | Self::NotAsked | Self::Pending { .. } | Self::Complete { .. } => None,
        }
    }
}

/// One line of the worker's output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// The first line.
    Hello {
        /// [`VERSION`].
        protocol: u32,
    },
    /// The sandbox is closed; the file is read next.
    Isolated(Isolation),
    /// The language of the text. [`Done`] has the same.
    Language {
        /// See [`Extraction::language`].
        language: Option<String>,
    },
    /// A page.
    Page(Page),
    /// A page on which OCR failed; other pages may succeed.
    Unread {
        /// From 1.
        page: u32,
        /// Why.
        failure: Failure,
    },
    /// The requested thumbnail.
    Thumbnail(Thumbnail),
    /// The whole file was read.
    Done(Box<Done>),
    /// The file cannot be read.
    Failed(Failure),
}

/// The final line for a file that could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Done {
    /// The media type of the file.
    pub media_type: String,
    /// See [`Extraction::metadata`].
    pub metadata: Metadata,
    /// See [`Extraction::language`].
    pub language: Option<String>,
    /// See [`Extraction::needs_ocr`].
    pub needs_ocr: Vec<u32>,
}

/// Why the worker failed. `code` is one of the names of [`crate::ExtractError::code`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Failure {
    /// There is no reader for this media type.
    Unsupported {
        /// The detected media type.
        media_type: String,
    },
    /// A password is needed.
    Encrypted,
    /// The text is in images, and Tesseract or its data for a language is not installed.
    NeedsOcr {
        /// How to install the missing software.
        reason: String,
    },
    /// The file is damaged beyond recovery, or does not match its declared type.
    Malformed {
        /// An explanation for people.
        reason: String,
    },
    /// Larger than [`crate::Limits::input_bytes`].
    TooLarge {
        /// Size of the file in bytes.
        size: u64,
    },
    /// A limit that the worker enforces itself.
    LimitExceeded {
        /// The name of the limit.
        limit: String,
    },
    /// A layer of the sandbox is missing.
    SandboxUnavailable {
        /// Which layer, and why.
        reason: String,
    },
}
