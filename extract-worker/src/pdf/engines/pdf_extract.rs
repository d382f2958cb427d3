//! The second engine: `pdf-extract`.

use super::engine::{Engine, Reading, contained, malformed};
use crate::input::Input;
use ::pdf_extract::{Document, PlainTextOutput, output_doc_page};
use dossier_extract::protocol::Failure;
use std::sync::Arc;

pub(in crate::pdf) fn open(input: &Arc<Input>) -> Result<Box<dyn Engine>, Failure> {
    let document = contained(|| open_document(input)).ok_or_else(|| malformed("its structure is damaged"))?;
    let document = document.ok_or_else(|| malformed("it is not a PDF"))?;
    let pages = contained(|| document.get_pages().len()).unwrap_or_default();
    Ok(Box::new(PdfExtract { document, pages }))
}

fn open_document(bytes: &[u8]) -> Option<Document> {
    let mut document = Document::load_mem(bytes).ok()?;
    if document.is_encrypted() {
        document.decrypt("").ok()?;
    }
    Some(document)
}

struct PdfExtract {
    document: Document,
    pages: usize,
}

impl Engine for PdfExtract {
    fn page_count(&self) -> usize {
        self.pages
    }

    fn page(&mut self, index: usize) -> Reading {
        let Ok(number) = u32::try_from(index + 1) else { return Reading::default() };
        let mut text = String::new();
        // After an error or a panic, keep the text extracted so far.
        let _ = contained(|| output_doc_page(&self.document, &mut PlainTextOutput::new(&mut text), number));
        Reading { text, ..Reading::default() }
    }
}
