//! The libraries that read PDF text, and the choice between them for each page.

pub(in crate::pdf) mod choice;
pub(in crate::pdf) mod engine;
pub(in crate::pdf) mod hayro;
mod pdf_extract;
mod quality;
