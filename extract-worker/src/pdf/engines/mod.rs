//! The libraries that read a PDF, and which of them reads a page.

pub(in crate::pdf) mod choice;
pub(in crate::pdf) mod engine;
pub(in crate::pdf) mod hayro;
mod pdf_extract;
mod quality;
