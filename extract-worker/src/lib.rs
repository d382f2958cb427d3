//! Reads text out of a hostile file. The only crate of Dossier that parses one.
//!
//! [`sandbox::enter`] closes every door, then [`serve`] maps the file, finds out what it is
//! ([`detection::detect`]), reads it with the module of that format, and writes each page as soon as it is
//! ready.
//!
//! Invariant: every layer of the sandbox is closed before the first byte of the file is read.
//! Invariant: opens no path, no socket, starts no process; the file is standard input, replies go where
//! standard output went, and nothing else does.
//! Invariant: knows nothing of Postgres, HTTP, users or documents.

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
pub use serve::{refuse, serve};
