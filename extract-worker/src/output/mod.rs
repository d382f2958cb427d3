//! What readers write into: markup, tables, pages. Replies carry it to the parent process.

pub(crate) mod language;
pub(crate) mod markdown;
pub(crate) mod markup;
pub(crate) mod numerals;
pub(crate) mod pagination;
pub(crate) mod reply;
pub(crate) mod table;
