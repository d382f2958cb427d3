//! The libraries that read PDF text, the choice between them for each page, and the threads that read ahead.

mod ahead;
pub(in crate::pdf) mod choice;
pub(in crate::pdf) mod engine;
pub(in crate::pdf) mod hayro;
mod pdf_extract;
mod quality;
