//! Reads text out of a hostile file. The only crate of Dossier that parses one.
//!
//! [`sandbox::enter`] closes every door, then [`serve`] maps the file, finds out what it is
//! ([`format::detect`]), reads it with the module of that format, and writes each page as soon as it is
//! ready.
//!
//! Invariant: every layer of the sandbox is closed before the first byte of the file is read.
//! Invariant: opens no path, no socket, starts no process; the file is standard input, replies go where
//! standard output went, and nothing else does.
//! Invariant: knows nothing of Postgres, HTTP, users or documents.

mod appearance;
mod budget;
mod csv;
mod cut_zip;
mod docx;
mod drawing;
pub mod format;
mod grid;
mod html;
mod input;
mod json;
mod language;
mod mail;
mod markdown;
#[allow(dead_code, reason = "some of its first readers are on their way")]
mod numerals;
pub mod ocr;
mod odf;
mod omml;
mod pagination;
mod pdf;
mod picture;
mod pptx;
mod properties;
#[allow(dead_code, reason = "some of its first readers are on their way")]
mod prose;
mod reply;
mod rtf;
pub mod sandbox;
mod serve;
#[allow(dead_code, reason = "its first readers are on their way")]
mod symbols;
mod table;
mod text;
mod text_kind;
mod thumbnail;
mod xlsx;
mod xml;
mod zip_parts;

pub use serve::{refuse, serve};
