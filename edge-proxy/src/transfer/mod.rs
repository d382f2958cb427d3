//! Sessions from one database to another: a bundle that streams out, and one that is read in.
//!
//! Invariant: what is in a bundle is SQL's business (`sql/89_export.sql`, `sql/89_import.sql`): here its pieces are put
//! in a row, and a whole one is passed on.

mod export;
mod import;

pub(crate) use export::export;
pub(crate) use import::import;
