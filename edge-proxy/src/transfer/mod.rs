//! Sessions from one database to another, and out to people.
//!
//! Invariant: what is in a bundle is SQL's business (`sql/transfer/export.sql`, `sql/transfer/import_parts.sql`): here its pieces are put
//! in a row, and passed on.

mod asked;
mod export;
mod import;
mod json;
mod lines;
mod names;
mod ndjson;
mod staged;
mod unzip;
mod walk;
mod word;
mod zip;

pub(crate) use export::{export, export_one};
pub(crate) use import::import;
