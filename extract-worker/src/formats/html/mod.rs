//! Web pages: the token stream of a browser's tokenizer, turned into paragraphs, lists and tables in one
//! pass.
//!
//! Content that browsers do not show is omitted: scripts, styles, templates, elements hidden by attributes.
//!
//! Invariant: no tree is built, so nesting costs neither stack nor memory. Links are never followed.

mod elements;
mod hidden_element;
mod layout_tables;
mod reader;
mod table;
mod tokens;

use crate::input::charset::Charset;
use crate::input::encoding;
use crate::output::markup::Heading;
use crate::output::reply::Pages;
use dossier_extract::protocol::Failure;
use dossier_extract::{Metadata, TextFormat};
use encoding_rs::UTF_8;
use std::borrow::Cow;
use std::io::Write;
use tokens::tokens;

/// Sends a page's text.
pub(crate) fn read<W: Write>(
    bytes: &[u8],
    said: Option<Charset>,
    format: TextFormat,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let html = decode(bytes, said)
        .ok_or_else(|| Failure::Malformed { reason: "the bytes are not text".to_owned() })?;
    let (text, headings) = text_of(&html, format, &mut pages.metadata);
    pages.push_headed("html", &text, headings)
}

/// The text of a page, its headings and its metadata.
pub(crate) fn text_of(html: &str, format: TextFormat, metadata: &mut Metadata) -> (String, Vec<Heading>) {
    let mut reader = reader::Reader::new(format, layout_tables::tables(html), metadata);
    tokens(html).for_each(|token| reader.token(token));
    reader.finish()
}

/// Decodes a page: in the charset that its sender declared, or else the one that the page declares.
pub(crate) fn decode(bytes: &[u8], said: Option<Charset>) -> Option<Cow<'_, str>> {
    encoding::decode_said(bytes, said.or_else(|| said_by_page(bytes)))
}

/// How far into a page its encoding may be declared. The standard allows 1024 bytes; pages with long comments
/// exceed that.
const ENCODING_WITHIN: usize = 4096;

/// `<meta charset="…">`, `<meta … content="text/html; charset=…">` or `<?xml … encoding="…"?>`.
fn said_by_page(bytes: &[u8]) -> Option<Charset> {
    if let Some(charset) = encoding::said_by_xml(bytes) {
        return Some(charset);
    }
    let head = bytes[..bytes.len().min(ENCODING_WITHIN)].to_ascii_lowercase();
    memchr::memmem::find_iter(&head, b"<meta").find_map(|start| {
        let at = start + memchr::memmem::find(&head[start..], b"charset")? + b"charset".len();
        let value = head[at..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
        let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
        let end = value.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"-_:.".contains(byte)));
        let charset = Charset::named(std::str::from_utf8(&value[..end.unwrap_or(value.len())]).ok()?)?;
        // The declaration was readable as ASCII, so it cannot be UTF-16.
        Some(if charset.has_wide_units() { Charset::Web(UTF_8) } else { charset })
    })
}
