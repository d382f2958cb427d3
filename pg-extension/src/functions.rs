//! The native SQL functions on bytes. Each is a thin layer over `extraction`.

use crate::{errors, extraction};
use dossier_extract::{Ocr, Page, PageSource, Request, TableEvidence, TextFormat};
use pgrx::JsonB;
use pgrx::prelude::*;

/// Returns the text of a file, with form feeds between its pages.
#[pg_extern]
pub(crate) fn extract_text(
    content: Option<&[u8]>,
    media_type: Option<&str>,
    format: Option<&str>,
    ocr: Option<&str>,
) -> Option<String> {
    let pages = pages_of(content?, request(media_type, format, ocr));
    Some(pages.into_iter().map(|page| page.text).collect::<Vec<_>>().join("\x0c"))
}

/// Returns the text of a file, one row per page.
#[pg_extern]
#[expect(clippy::type_complexity, reason = "the columns, as pgrx wants them")]
pub(crate) fn extract_pages(
    content: Option<&[u8]>,
    media_type: Option<&str>,
    format: Option<&str>,
    ocr: Option<&str>,
) -> TableIterator<
    'static,
    (
        name!(page, i32),
        name!(text, String),
        name!(source, &'static str),
        name!(confidence, Option<f32>),
        name!(engine, String),
        name!(quality, Option<f32>),
        name!(reason, Option<String>),
    ),
> {
    let request = request(media_type, format, ocr);
    let pages = content.map(|content| pages_of(content, request)).unwrap_or_default();
    TableIterator::new(pages.into_iter().map(|page| {
        let (number, source) = (number(&page), source_name(page.source));
        (number, page.text, source, page.confidence, page.engine, page.quality, page.reason)
    }))
}

/// Returns the tables of a file, one row per table.
#[pg_extern]
#[expect(clippy::type_complexity, reason = "the columns, as pgrx wants them")]
pub(crate) fn extract_tables(
    content: Option<&[u8]>,
    media_type: Option<&str>,
) -> TableIterator<
    'static,
    (
        name!(page, i32),
        name!(number, i32),
        name!(rows, i32),
        name!(columns, i32),
        name!(header_rows, i32),
        name!(evidence, &'static str),
        name!(confidence, f32),
        name!(r#box, Vec<f32>),
        name!(cells, JsonB),
    ),
> {
    let request = Request { structure: true, ..request(media_type, None, Some(Ocr::Never.name())) };
    let pages = content.map(|content| pages_of(content, request)).unwrap_or_default();
    TableIterator::new(pages.into_iter().flat_map(|page| {
        let number = number(&page);
        let tables = page.structure.map(|structure| structure.tables).unwrap_or_default();
        tables.into_iter().zip(1..).map(move |(table, place)| {
            let evidence = match table.evidence {
                TableEvidence::Grid => "grid",
                TableEvidence::Rules => "rules",
                TableEvidence::Alignment => "alignment",
            };
            let cells = serde_json::to_value(&table.cells)
                .unwrap_or_else(|error| error!("the cells of a table cannot be written as JSON: {error}"));
            let (rows, columns, heads) = (count(table.rows), count(table.columns), count(table.header_rows));
            let corners = table.place.to_vec();
            (number, place, rows, columns, heads, evidence, table.confidence, corners, JsonB(cells))
        })
    }))
}

/// Returns the media type of the bytes alone, without a name or a declaration.
#[pg_extern]
pub(crate) fn detect_media_type(content: &[u8]) -> String {
    let source = extraction::source(content);
    extraction::detect(&source).unwrap_or_else(|error| errors::raise(&error))
}

/// Returns how a worker is isolated on this host, as JSON.
#[pg_extern]
pub(crate) fn worker_isolation() -> JsonB {
    let source = extraction::source(b"isolated");
    let request = Request { ocr: Ocr::Never, ..Request::default() };
    let extraction = extraction::extract(&source, request).unwrap_or_else(|error| errors::raise(&error));
    match serde_json::to_value(extraction.isolation) {
        Ok(json) => JsonB(json),
        Err(error) => error!("the report of the worker cannot be written as JSON: {error}"),
    }
}

/// Parses the arguments. Null means the default. Raises an SQL error for an unknown name.
fn request(media_type: Option<&str>, format: Option<&str>, ocr: Option<&str>) -> Request {
    let formats = TextFormat::ALL.map(TextFormat::name);
    Request {
        media_type: media_type.map(str::to_owned),
        format: format.map_or_else(TextFormat::default, |name| {
            TextFormat::from_name(name).unwrap_or_else(|| errors::raise_choice("format", name, &formats))
        }),
        ocr: ocr.map_or_else(Ocr::default, self::ocr),
        ..Request::default()
    }
}

/// Parses the name of a mode of OCR. Raises an SQL error for an unknown one.
pub(crate) fn ocr(name: &str) -> Ocr {
    Ocr::from_name(name).unwrap_or_else(|| errors::raise_choice("ocr", name, &Ocr::ALL.map(Ocr::name)))
}

fn pages_of(content: &[u8], request: Request) -> Vec<Page> {
    let source = extraction::source(content);
    extraction::extract(&source, request).unwrap_or_else(|error| errors::raise(&error)).pages
}

fn number(page: &Page) -> i32 {
    count(page.page)
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn source_name(source: PageSource) -> &'static str {
    match source {
        PageSource::Text => "text",
        PageSource::Ocr => "ocr",
    }
}
