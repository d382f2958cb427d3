//! Formats that are text, or streams of it; office files and PDF have rooms of their own.

pub(crate) mod csv;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod mail;
pub(crate) mod rtf;
pub(crate) mod text;
