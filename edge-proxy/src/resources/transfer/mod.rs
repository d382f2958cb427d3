//! Sessions from one database to another, and out to people.
//!
//! Invariant: what is in a bundle is SQL's business (`sql/transfer/export.sql`, `sql/transfer/import_parts.sql`): here its pieces are put
//! in a row, and passed on.

mod export;
mod export_request;
mod file_names;
mod import;
mod import_client;
mod json;
mod lines;
mod ndjson;
mod session_reader;
mod unzip;
mod word;
mod zip;

pub(crate) use export::{export, export_one};
pub(crate) use import::import;
