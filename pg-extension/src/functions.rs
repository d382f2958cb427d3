//! The native SQL functions on bytes: each a few lines over `extraction`.

use crate::{errors, extraction};
use dossier_extract::{Page, PageSource};
use pgrx::prelude::*;

/// The text of a file, its pages separated by form feeds.
#[pg_extern(sql = "
create function dossier.extract_text(content bytea, media_type text default null)
returns text language c volatile parallel unsafe as 'MODULE_PATHNAME', '@FUNCTION_NAME@';
", requires = ["schemas"])]
pub(crate) fn extract_text(content: Option<&[u8]>, media_type: Option<&str>) -> Option<String> {
    let pages = pages_of(content?, media_type);
    Some(pages.into_iter().map(|page| page.text).collect::<Vec<_>>().join("\x0c"))
}

/// The text of a file, a row a page.
#[pg_extern(sql = "
create function dossier.extract_pages(content bytea, media_type text default null)
returns table (page integer, text text, source text, confidence real)
language c volatile parallel unsafe rows 100 as 'MODULE_PATHNAME', '@FUNCTION_NAME@';
", requires = ["schemas"])]
pub(crate) fn extract_pages(
    content: Option<&[u8]>,
    media_type: Option<&str>,
) -> TableIterator<
    'static,
    (name!(page, i32), name!(text, String), name!(source, &'static str), name!(confidence, Option<f32>)),
> {
    let pages = content.map(|content| pages_of(content, media_type)).unwrap_or_default();
    TableIterator::new(
        pages.into_iter().map(|page| (number(&page), page.text, source_name(page.source), page.confidence)),
    )
}

/// What the bytes are, by themselves: no name and no declaration is asked.
#[pg_extern(sql = "
create function dossier.detect_media_type(content bytea)
returns text language c volatile strict parallel unsafe as 'MODULE_PATHNAME', '@FUNCTION_NAME@';
", requires = ["schemas"])]
pub(crate) fn detect_media_type(content: &[u8]) -> String {
    let source = extraction::source(content);
    extraction::detect(&source).unwrap_or_else(|error| errors::raise(&error))
}

fn pages_of(content: &[u8], media_type: Option<&str>) -> Vec<Page> {
    let source = extraction::source(content);
    extraction::extract(&source, media_type).unwrap_or_else(|error| errors::raise(&error)).pages
}

fn number(page: &Page) -> i32 {
    i32::try_from(page.page).unwrap_or(i32::MAX)
}

fn source_name(source: PageSource) -> &'static str {
    match source {
        PageSource::Text => "text",
        PageSource::Ocr => "ocr",
    }
}
