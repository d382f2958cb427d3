//! Office files: the ZIP packages of Microsoft Office and OpenDocument, and what their readers share.

pub(crate) mod carried_thumbnail;
pub(crate) mod compound_file;
mod damage;
pub(crate) mod docx;
mod drawingml;
mod formulas;
mod grid;
mod inflate_budget;
pub(crate) mod odf;
pub(crate) mod package;
pub(crate) mod pptx;
mod properties;
mod reading_order;
mod relationships;
mod symbol_fonts;
mod truncated_zip;
pub(crate) mod xlsx;
mod xml;
