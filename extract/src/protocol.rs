//! What parent and worker say to each other.
//!
//! The request is the worker's argument list; the file is its standard input (a sealed memory
//! descriptor, positioned at 0). The reply is one JSON value a line on its standard output: a
//! [`Reply::Page`] for each page as soon as it is read, then exactly one [`Reply::Done`] or
//! [`Reply::Failed`]. A reply without that last line is a crash.

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
    /// Never contains NUL, which Postgres's `text` cannot hold.
    pub text: String,
    /// Where `text` comes from.
    pub source: PageSource,
    /// Of [`PageSource::Ocr`]: mean word confidence, 0 to 1.
    pub confidence: Option<f32>,
    /// The reader's name, `hayro` or `docx` for example.
    pub engine: String,
}

/// A whole reply, put together by the client.
#[derive(Debug, Clone, PartialEq)]
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
    Failed {
        /// One of [`crate::ExtractError::code`]'s names.
        code: String,
        /// For people; may quote the file, so never contains control characters.
        message: String,
    },
}
