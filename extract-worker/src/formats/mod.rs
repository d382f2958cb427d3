//! Readers for text formats. Office files and PDF have folders of their own.

pub(crate) mod csv;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod mail;
pub(crate) mod part;
pub(crate) mod rtf;
pub(crate) mod text;
