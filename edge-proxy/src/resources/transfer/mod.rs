//! Export and import of sessions.
//!
//! Invariant: SQL decides what a bundle contains (`sql/transfer/`). Exports arrange its pieces in a format, imports take
//! them apart.

mod export;
mod export_request;
mod file_names;
mod import;
mod import_client;
mod json;
mod lines;
mod ndjson;
mod session_reader;
mod spool;
mod unzip;
mod word;
mod zip;

pub(crate) use export::{export, export_one};
pub(crate) use import::{Target, import};
