//! OpenDocument: texts, spreadsheets and presentations.
//!
//! A text is split into pages at explicit breaks and where a page ended in the writer's last layout. The
//! first page starts with the headers; the last one ends with notes, comments and footers. Each sheet or
//! slide is a page.
//!
//! Invariant: no recursion over nested elements; one decompression budget for all parts.

mod body;
pub(crate) mod flat;
mod lists;
mod shapes;
mod sheets;
mod styles;

use crate::office::damage::{self, Damage};
use crate::office::package::{OPEN_DOCUMENT, Parts};
use crate::office::properties;
use crate::office::xml::{Node, Xml};
use crate::output::markup::Markup;
use crate::output::reply::Pages;
use body::Body;
use dossier_extract::protocol::Failure;
use dossier_extract::{Limits, Metadata, TextFormat};
use std::collections::HashSet;
use std::io::Write;
use styles::Styles;

/// The kind of OpenDocument file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Sheets,
    Slides,
}

/// Sends a file's pages.
pub(crate) fn read<W: Write>(
    bytes: &[u8],
    kind: Kind,
    format: TextFormat,
    limits: &Limits,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let File { content, look, metadata, is_broken, damage } = File::open(bytes, limits)?;
    pages.metadata = metadata;
    pages.caveat = damage.reason();
    if kind == Kind::Sheets {
        sheets::read(&content, format, limits, pages)?;
    } else {
        let mut styles = Styles::default();
        if let Some(look) = &look {
            styles.add(look);
        }
        styles.add(&content);
        let look = look.as_ref().unwrap_or(&content);
        let mut markup = Markup::new(format);
        let mut sheets = Body::new(&styles, kind, &mut markup).pages(&content);
        let mut headings = markup.take_headings();
        if kind == Kind::Text {
            let margins = |which| margins(look, &styles, which, format);
            if let Some(page) = sheets.first_mut() {
                let start = put_before(page, &margins("header"), format);
                let first = headings.iter_mut().filter(|heading| heading.entry.page == Some(1));
                first.for_each(|heading| heading.at += start);
            }
            if let Some(page) = sheets.last_mut() {
                let body = std::mem::replace(page, margins("footer"));
                put_before(page, &body, format);
            }
        }
        if let ([whole], Kind::Text) = (sheets.as_slice(), kind) {
            // There are no page breaks.
            pages.push_headed(kind.engine(), whole, headings)?;
        } else {
            pages.metadata.outline = headings.into_iter().map(|heading| heading.entry).collect();
            sheets.iter().try_for_each(|page| pages.push(kind.engine(), page))?;
        }
    }
    if is_broken && !content.contains("</") {
        Err(malformed("its text cannot be decompressed"))
    } else {
        Ok(())
    }
}

/// The parts of a file that are read.
struct File {
    content: String,
    /// The part with styles, headers and footers, if it is not the same.
    look: Option<String>,
    metadata: Metadata,
    is_broken: bool,
    damage: Damage,
}

impl File {
    fn open(bytes: &[u8], limits: &Limits) -> Result<Self, Failure> {
        if let Some(content) = flat::text(bytes) {
            let metadata = properties::of_open_document(&content);
            let mut damage = Damage::default();
            if !damage::is_whole(&content) {
                damage.add("the document");
            }
            return Ok(Self { content, look: None, metadata, is_broken: false, damage });
        }
        let mut parts = Parts::open(bytes, limits)?;
        if is_encrypted(&mut parts)? {
            return Err(Failure::Encrypted);
        }
        let metadata = parts.read("meta.xml")?.map(|meta| properties::of_open_document(&meta));
        drop(parts.take_damage());
        let content = parts.read("content.xml")?.ok_or_else(|| malformed("the content part is missing"))?;
        let look = Some(parts.read("styles.xml")?.unwrap_or_default());
        let (is_broken, damage) = (parts.is_broken(), parts.take_damage());
        Ok(Self { content, look, metadata: metadata.unwrap_or_default(), is_broken, damage })
    }
}

impl Kind {
    /// The kind of OpenDocument with this media type, or of a template with it.
    pub(crate) fn of_media_type(media_type: &str) -> Option<Self> {
        Some(match media_type.strip_prefix(OPEN_DOCUMENT)? {
            "text" | "text-template" | "text-master" | "text-web" => Self::Text,
            "spreadsheet" | "spreadsheet-template" => Self::Sheets,
            "presentation" | "presentation-template" => Self::Slides,
            _ => return None,
        })
    }

    fn engine(self) -> &'static str {
        match self {
            Self::Text => "odt",
            Self::Sheets => "ods",
            Self::Slides => "odp",
        }
    }
}

/// Whether the manifest says that parts of the file are encrypted.
fn is_encrypted(parts: &mut Parts<'_>) -> Result<bool, Failure> {
    let manifest = parts.read("META-INF/manifest.xml")?.unwrap_or_default();
    let mut reader = Xml::new(&manifest);
    while let Some(node) = reader.next() {
        if matches!(node, Node::Start(element) if element.is("manifest", "encryption-data")) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Inserts blocks at the start of a page. Returns the new position of the page's own blocks.
fn put_before(page: &mut String, blocks: &str, format: TextFormat) -> usize {
    let mut markup = Markup::new(format);
    markup.append(blocks);
    let start = markup.append(page);
    *page = markup.finish();
    start
}

/// The headers or footers of all page styles. Text that occurs in several is written once.
fn margins(look: &str, styles: &Styles, which: &str, format: TextFormat) -> String {
    let mut said = HashSet::new();
    let mut text = String::new();
    let mut markup = Markup::new(format);
    let mut reader = Xml::new(look);
    while let Some(node) = reader.next() {
        let Node::Start(element) = node else { continue };
        let is_one =
            |name: &str| name.strip_prefix(which).is_some_and(|rest| matches!(rest, "" | "-left" | "-first"));
        if element.space == "style" && is_one(element.name()) {
            Body::new(styles, Kind::Text, &mut markup).read_margin(&mut reader);
            let one = markup.take_page();
            if !one.trim().is_empty() && said.insert(one.clone()) {
                text.push_str(&one);
            }
        }
    }
    text
}

fn malformed(reason: &str) -> Failure {
    Failure::Malformed { reason: reason.to_owned() }
}
