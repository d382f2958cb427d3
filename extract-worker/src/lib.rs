//! Extracts text from hostile files. This is the only crate of Dossier that parses a file.
//!
//! [`sandbox::enter`] applies every sandbox layer. Then [`serve()`] maps the file, detects its format, runs the
//! reader for that format, and sends each page as soon as it is ready.
//!
//! | folder | contents |
//! |---|---|
//! | `sandbox/` | what this process may still do once it sees the file |
//! | `input/` | the file's bytes, and their character encoding |
//! | `detection/` | which format a file has |
//! | `formats/` | readers for CSV, JSON, HTML, mail, RTF and plain text |
//! | `office/` | readers for DOCX, PPTX, XLSX and OpenDocument, and what they share: ZIP, XML, drawings |
//! | `pdf/` | `content/` (what a page draws), `fonts/`, `layout/` (lines, columns, reading order of plain text), `structure/` (headings, tables, lists and their order, for Markdown), `engines/` (which library reads a page), `info/` (metadata) |
//! | `images/` | image files, pages rendered as images, OCR, thumbnails |
//! | `output/` | what readers write into: markup, tables, pages, replies |
//!
//! Invariant: every sandbox layer is active before the first byte of the file is read.
//! Invariant: opens no path or socket and starts no process. The file is standard input, and only replies go to
//! standard output.
//! Invariant: knows nothing about Postgres, HTTP, users or documents.

mod detection;
mod formats;
mod images;
mod input;
mod office;
mod output;
mod pdf;
pub mod sandbox;
mod serve;

pub use images::ocr;
pub use serve::{greet, refuse, serve};
