//! The second engine: `pdf_oxide`.

use super::engine::{Engine, Reading, contained, malformed};
use crate::input::Input;
use dossier_extract::protocol::Failure;
use pdf_oxide::PdfDocument;
use std::sync::Arc;

pub(super) fn open(input: &Arc<Input>) -> Result<Box<dyn Engine>, Failure> {
    let opened = contained(|| {
        let document = PdfDocument::from_bytes(input.to_vec()).map_err(|_| malformed("it is not a PDF"))?;
        // Without the password it would read every page as empty.
        if document.is_encrypted() && !document.authenticate(b"").unwrap_or(false) {
            return Err(Failure::Encrypted);
        }
        let pages = document.page_count().map_err(|_| malformed("it has no pages"))?;
        Ok(Oxide { document, pages })
    });
    Ok(Box::new(opened.unwrap_or_else(|| Err(malformed("its structure is broken")))?))
}

struct Oxide {
    document: PdfDocument,
    pages: usize,
}

impl Engine for Oxide {
    fn page_count(&self) -> usize {
        self.pages
    }

    fn page(&mut self, index: usize) -> Reading {
        let text = contained(|| self.document.extract_text(index)).and_then(Result::ok);
        Reading { text: text.unwrap_or_default(), ..Reading::default() }
    }
}
