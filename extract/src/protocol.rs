//! What parent and worker say to each other.
//!
//! The request is the worker's argument list ([`crate::Invocation`]); the file is its standard input (a
//! sealed memory descriptor). The reply is one JSON value a line on its standard output: a
//! [`Reply::Page`] for each page as soon as it is read (where pages are recognised, a [`Reply::Unread`]
//! for each that cannot be), or one [`Reply::Thumbnail`]; then exactly one [`Reply::Done`] or
//! [`Reply::Failed`]. A reply without that last line is a crash.
//!
//! Invariant: the parent believes nothing it reads here; [`crate::Extractor`] checks every field.

use crate::thumbnail::Thumbnail;
use serde::{Deserialize, Serialize};

/// What to extract, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The media type to read the bytes as; `None`: as what they are.
    pub media_type: Option<String>,
    /// The engine to ask first for PDF text; the others still stand behind it.
    pub pdf_engine: Option<PdfEngine>,
    /// How structure (headings, lists, tables) is written.
    pub format: TextFormat,
    /// Whether words are recognised in pictures.
    pub ocr: Ocr,
}

/// Whether words are recognised in pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Ocr {
    /// Never.
    Never,
    /// In images, and on the pages of a PDF that show a picture and no text worth having.
    #[default]
    Auto,
    /// On every page of an image or a PDF, whatever text it has.
    Force,
}

impl Ocr {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Never, Self::Auto, Self::Force];

    /// The name in arguments and SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Auto => "auto",
            Self::Force => "force",
        }
    }

    /// The mode called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ocr| ocr.name() == name)
    }
}

/// How the structure of a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum TextFormat {
    /// Plain: a paragraph a line, a table's row a line.
    #[default]
    Text,
    /// Markdown (`CommonMark` with GitHub's tables), where the file has structure to tell.
    Markdown,
}

impl TextFormat {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Text, Self::Markdown];

    /// The name in arguments and SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
        }
    }

    /// The format called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// A reader of PDF text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum PdfEngine {
    /// `hayro`: fast; our own line and reading-order assembly.
    Hayro,
    /// `pdf-extract`: the second opinion.
    PdfExtract,
}

impl PdfEngine {
    /// All engines, best first.
    pub const ALL: [Self; 2] = [Self::Hayro, Self::PdfExtract];

    /// The name in arguments, settings and [`Page::engine`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hayro => "hayro",
            Self::PdfExtract => "pdf-extract",
        }
    }

    /// The engine called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }
}

/// Where the text of a page comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageSource {
    /// Text that the file itself holds.
    Text,
    /// Text recognised in a picture.
    Ocr,
}

/// One page, sheet or other unit of a file's text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// From 1.
    pub page: u32,
    /// Holds no control characters but `\n`, `\t` and `\f`; above all no NUL, which Postgres's `text`
    /// cannot hold.
    pub text: String,
    /// Where `text` comes from.
    pub source: PageSource,
    /// Of [`PageSource::Ocr`] with words: their mean confidence, 0 to 1.
    pub confidence: Option<f32>,
    /// The reader's name, `hayro` or `docx` for example.
    pub engine: String,
    /// How good the text looks, 0 to 1, where the reader has an opinion.
    #[serde(default)]
    pub quality: Option<f32>,
    /// Why this reader and no other: a short phrase for people, where there was a choice.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a file says of itself. Times are RFC 3339; everything is the file's own claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The document's title; a mail's subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// As the file has them, in one string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keywords: Option<String>,
    /// The program that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub producer: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// What the file calls its pages (`iv`, `A-1`, a sheet's name), one for each page, or none at all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub page_labels: Vec<String>,
    /// Bookmarks, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outline: Vec<OutlineEntry>,
    /// Names of files within the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
}

/// One bookmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutlineEntry {
    /// From 1, the outermost.
    pub level: u8,
    /// Its words.
    pub title: String,
    /// The page it leads to, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
}

/// A whole reply, put together by the client.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extraction {
    /// What the bytes are.
    pub media_type: String,
    /// All pages, in order, from 1 without gaps.
    pub pages: Vec<Page>,
    /// What the file says of itself.
    pub metadata: Metadata,
    /// The language of most of the text, guessed: an ISO 639-3 code.
    pub language: Option<String>,
    /// Pages (from 1) that show a picture and no text worth having, and that have not been recognised:
    /// their words, if any, need OCR.
    pub needs_ocr: Vec<u32>,
    /// What became of OCR.
    pub ocr: OcrOutcome,
}

/// What became of OCR. `pages` counts the pages that were recognised, words found or not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum OcrOutcome {
    /// No page needs it.
    #[default]
    NotNeeded,
    /// Pages need it ([`Extraction::needs_ocr`]), and the request said never.
    NotAsked,
    /// Every page that needs it was recognised.
    Complete {
        /// So many.
        pages: u32,
    },
    /// A limit, or a page that cannot be read, kept it from some pages; [`Page::reason`] says more.
    Incomplete {
        /// So many.
        pages: u32,
        /// For people: the first thing that went wrong.
        reason: String,
    },
    /// This machine has no Tesseract, or not the language's data.
    Missing {
        /// For people: what is missing, and how to install it.
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
            Self::Complete { .. } => "complete",
            Self::Incomplete { .. } => "incomplete",
            Self::Missing { .. } => "missing",
        }
    }

    /// What a person should know, where there is something.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Incomplete { reason, .. } | Self::Missing { reason } => Some(reason),
            Self::NotNeeded | Self::NotAsked | Self::Complete { .. } => None,
        }
    }
}

/// One line of the worker's output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// A page.
    Page(Page),
    /// A page whose words cannot be recognised; those of other pages may.
    Unread {
        /// From 1.
        page: u32,
        /// Why.
        failure: Failure,
    },
    /// The picture that was asked for.
    Thumbnail(Thumbnail),
    /// The file is read to its end.
    Done(Box<Done>),
    /// The file cannot be read.
    Failed(Failure),
}

/// The last line about a file that could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Done {
    /// What the bytes are.
    pub media_type: String,
    /// See [`Extraction::metadata`].
    pub metadata: Metadata,
    /// See [`Extraction::language`].
    pub language: Option<String>,
    /// See [`Extraction::needs_ocr`].
    pub needs_ocr: Vec<u32>,
}

/// Why the worker gives no text. `code` is one of [`crate::ExtractError::code`]'s names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Failure {
    /// No reader for this media type.
    Unsupported {
        /// What the bytes are.
        media_type: String,
    },
    /// A password is needed.
    Encrypted,
    /// The text is in pictures, and this machine has no Tesseract or not its language.
    NeedsOcr {
        /// What is missing, and how to install it.
        reason: String,
    },
    /// Broken beyond recovery, or not what it says.
    Malformed {
        /// For people.
        reason: String,
    },
    /// Larger than [`crate::Limits::input_bytes`].
    TooLarge {
        /// Of the file.
        size: u64,
    },
    /// A limit that the worker keeps itself.
    LimitExceeded {
        /// The name of a field of [`crate::Limits`].
        limit: String,
    },
    /// A layer of the sandbox is missing.
    SandboxUnavailable {
        /// Which one, and why.
        reason: String,
    },
}

/// Whether `character` may stand in a page: no control character but `\n`, `\t` and `\f`.
#[must_use]
pub fn is_clean(character: char) -> bool {
    matches!(character, '\n' | '\t' | '\x0c') || !character.is_control()
}
