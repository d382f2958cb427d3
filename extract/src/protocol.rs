//! What parent and worker say to each other.
//!
//! The request is the worker's argument list ([`crate::Invocation`]); the file is its standard input (a
//! sealed memory descriptor). The reply is one JSON value a line on its standard output: a
//! [`Reply::Page`] for each page as soon as it is read, then exactly one [`Reply::Done`] or
//! [`Reply::Failed`]. A reply without that last line is a crash.
//!
//! Invariant: the parent believes nothing it reads here; [`crate::Extractor`] checks every field.

use serde::{Deserialize, Serialize};

/// What to extract, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The media type to read the bytes as; `None`: as what they are.
    pub media_type: Option<String>,
    /// The engine to ask first for PDF text; the others still stand behind it.
    pub pdf_engine: Option<PdfEngine>,
}

/// A reader of PDF text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum PdfEngine {
    /// `hayro`: fast; our own line and reading-order assembly.
    Hayro,
    /// `pdf_oxide`: the second opinion.
    PdfOxide,
    /// `pdf-extract`: the third.
    PdfExtract,
}

impl PdfEngine {
    /// All engines, best first.
    pub const ALL: [Self; 3] = [Self::Hayro, Self::PdfOxide, Self::PdfExtract];

    /// The name in arguments, settings and [`Page::engine`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hayro => "hayro",
            Self::PdfOxide => "pdf-oxide",
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
    /// Of [`PageSource::Ocr`]: mean word confidence, 0 to 1.
    pub confidence: Option<f32>,
    /// The reader's name, `hayro` or `docx` for example.
    pub engine: String,
}

/// A whole reply, put together by the client.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extraction {
    /// What the bytes are.
    pub media_type: String,
    /// All pages, in order, from 1 without gaps.
    pub pages: Vec<Page>,
}

/// One line of the worker's output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// A page.
    Page(Page),
    /// The file is read to its end.
    Done {
        /// What the bytes are.
        media_type: String,
    },
    /// The file cannot be read.
    Failed(Failure),
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
