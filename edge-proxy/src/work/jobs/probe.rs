//! Tries extraction for `dossier-edge check`.

use super::extractor;
use crate::app::App;
use crate::config::Extract;
use crate::db::{Caller, DbError};
use dossier_extract::{ExtractError, Extraction, Isolation, Ocr, Request, Source, Tick};
use tokio_postgres::types::Type;

const READ_IMAGE: &str = "select dossier.extract_text($1, 'image/bmp', ocr => 'force')";

/// Runs the worker program once, on a text of one word, and returns how it was isolated. Blocks.
pub(crate) fn try_program(config: &Extract) -> Result<Isolation, ExtractError> {
    read(config, b"dossier", "text/plain", Ocr::Never).map(|extraction| extraction.isolation)
}

/// Tries OCR at the edge in the configured languages. Blocks.
pub(crate) fn edge_ocr(config: &Extract) -> Result<(), ExtractError> {
    read(config, &white_image(), "image/bmp", Ocr::Force).map(drop)
}

/// Tries OCR in the database.
pub(crate) async fn database_ocr(app: &App) -> Result<(), DbError> {
    app.db.rows(&Caller::service(), READ_IMAGE, &[(&white_image(), Type::BYTEA)]).await.map(drop)
}

fn read(config: &Extract, bytes: &[u8], media_type: &str, ocr: Ocr) -> Result<Extraction, ExtractError> {
    let source = Source::from_bytes(bytes).map_err(|error| ExtractError::WorkerUnavailable {
        path: config.program.clone(),
        reason: error.to_string(),
    })?;
    let request = Request { media_type: Some(media_type.to_owned()), ocr, ..Request::default() };
    extractor(config).extract(&source, &request, || Tick::Continue)
}

/// A white BMP of 64 by 64 pixels, 24 bits each. It has no text, which only OCR can tell.
fn white_image() -> Vec<u8> {
    const SIDE: u32 = 64;
    const HEAD: u32 = 54;
    const PIXELS: u32 = SIDE * SIDE * 3;
    let mut bytes = b"BM".to_vec();
    // Size of the file, reserved, offset of the pixels, size of this header, width, height.
    for number in [HEAD + PIXELS, 0, HEAD, 40, SIDE, SIDE] {
        bytes.extend(number.to_le_bytes());
    }
    // One plane, 24 bits per pixel, no compression, size of the pixels, 300 dots per inch, no palette.
    bytes.extend([1, 0, 24, 0]);
    for number in [0, PIXELS, 11_811, 11_811, 0, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.resize((HEAD + PIXELS) as usize, 0xff);
    bytes
}
