//! PDF metadata: the information dictionary and XMP, page labels, outline, attachments.
//!
//! Invariant: bounded, even if objects form loops. Trees and lists are walked without recursion, no object is
//! visited twice, and their number is limited.

mod labels;
mod outline;
mod trees;
mod xmp;

use super::unicode;
use dossier_extract::Metadata;
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::metadata::Metadata as Info;
use hayro_interpret::hayro_syntax::object::{DateTime, Dict, String as PdfString};
use trees::Tree;

/// Maximum number of attachments that are listed.
const MOST_ATTACHMENTS: usize = 1000;

/// All metadata of a file.
pub(super) fn of(pdf: &Pdf) -> Metadata {
    let catalog: Dict<'_> = pdf.xref().get(pdf.xref().root_id()).unwrap_or_default();
    let mut metadata = information(pdf.metadata());
    xmp::fill(&mut metadata, &catalog);
    metadata.page_labels = labels::of(pdf, &catalog);
    metadata.outline = outline::of(pdf, &catalog);
    metadata.attachments = attachments(pdf, &catalog);
    metadata
}

/// The information dictionary.
fn information(info: &Info) -> Metadata {
    let text = |bytes: &Option<Box<[u8]>>| line(&unicode::decode(bytes.as_deref()?));
    Metadata {
        title: text(&info.title),
        author: text(&info.author),
        subject: text(&info.subject),
        keywords: text(&info.keywords),
        producer: text(&info.producer).or_else(|| text(&info.creator)),
        created: info.creation_date.and_then(rfc3339),
        modified: info.modification_date.and_then(rfc3339),
        ..Metadata::default()
    }
}

/// Text in one line, without control characters; `None` if it is empty.
fn line(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}

/// A valid date in RFC 3339. Without an offset, UTC is assumed.
fn rfc3339(date: DateTime) -> Option<String> {
    let DateTime { year, month, day, hour, minute, second, utc_offset_hour, utc_offset_minute } = date;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u8::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let offset = match (utc_offset_hour, utc_offset_minute) {
        (0, 0) => "Z".to_owned(),
        (hours, minutes) => format!("{hours:+03}:{minutes:02}"),
    };
    (year > 0 && day <= days)
        .then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}"))
}

/// The names of embedded files.
fn attachments(pdf: &Pdf, catalog: &Dict<'_>) -> Vec<String> {
    let names = catalog.get::<Dict<'_>>(b"Names").and_then(|names| names.get(b"EmbeddedFiles"));
    let Some(root) = names else { return Vec::new() };
    let name = |(key, file): (PdfString<'_>, Option<Dict<'_>>)| {
        let file = file.unwrap_or_default();
        let name = file.get::<PdfString<'_>>(b"UF").or_else(|| file.get(b"F")).unwrap_or(key);
        line(&unicode::decode(name.as_bytes()))
    };
    let entries = Tree::names(pdf.xref(), root).map(|(key, value)| (key, value.resolve(pdf.xref())));
    entries.filter_map(name).take(MOST_ATTACHMENTS).collect()
}
