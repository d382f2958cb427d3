//! The second engine: `pdf-extract`, which reads all pages at once.

use super::engine::{Engine, Reading, contained, malformed};
use crate::input::Input;
use dossier_extract::protocol::Failure;
use std::sync::Arc;

pub(super) fn open(input: &Arc<Input>) -> Result<Box<dyn Engine>, Failure> {
    let pages = contained(|| ::pdf_extract::extract_text_from_mem_by_pages(input))
        .ok_or_else(|| malformed("its structure is broken"))?
        .map_err(|_| malformed("it is not a PDF"))?;
    Ok(Box::new(PdfExtract { pages }))
}

struct PdfExtract {
    pages: Vec<String>,
}

impl Engine for PdfExtract {
    fn page_count(&self) -> usize {
        self.pages.len()
    }

    fn page(&mut self, index: usize) -> Reading {
        let text = self.pages.get_mut(index).map(std::mem::take).unwrap_or_default();
        Reading { text, ..Reading::default() }
    }
}
