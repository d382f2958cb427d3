//! What readers write into, and how it leaves the process: markup, tables, pages, replies.

pub(crate) mod language;
mod markdown;
pub(crate) mod markup;
pub(crate) mod numerals;
pub(crate) mod pagination;
pub(crate) mod reply;
mod table;
