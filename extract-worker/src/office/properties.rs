//! Metadata of office files: `docProps/core.xml` and `app.xml`, or OpenDocument's `meta.xml`.

use crate::office::package::Parts;
use crate::office::xml::{Node, Xml};
use dossier_extract::Metadata;
use dossier_extract::protocol::Failure;

/// The properties of an Open XML file.
pub(crate) fn read(parts: &mut Parts<'_>) -> Result<Metadata, Failure> {
    let mut metadata = Metadata::default();
    for part in parts.relationships("")? {
        if matches!(part.kind.as_str(), "core-properties" | "extended-properties" | "extendedProperties")
            && let Some(xml) = parts.read(&part.target)?
        {
            add(&mut metadata, &xml);
        }
    }
    Ok(metadata)
}

/// The properties of an OpenDocument file, from `meta.xml` or a flat file.
pub(crate) fn of_open_document(xml: &str) -> Metadata {
    let mut metadata = Metadata::default();
    add(&mut metadata, xml);
    metadata
}

fn add(metadata: &mut Metadata, xml: &str) {
    let mut reader = Xml::new(xml);
    while let Some(node) = reader.next() {
        let element = match node {
            Node::Start(element) => element,
            // Elements of these names occur in a flat file's comments as well.
            Node::End(end) if end.is("office", "meta") => break,
            Node::End(_) | Node::Text(_) => continue,
        };
        let Some(field) = field(metadata, element.space, element.name()) else { continue };
        let value = reader.text();
        let value = value.trim();
        match field {
            _ if value.is_empty() => {}
            Field::Words(words) => *words = Some(value.to_owned()),
            Field::More(words) => match words {
                Some(words) => words.extend([", ", value]),
                None => *words = Some(value.to_owned()),
            },
            Field::Time(time) => *time = rfc3339(value),
        }
    }
}

/// Where to store the value of an element.
enum Field<'m> {
    Words(&'m mut Option<String>),
    /// A list with one element per value.
    More(&'m mut Option<String>),
    Time(&'m mut Option<String>),
}

fn field<'m>(metadata: &'m mut Metadata, space: &str, name: &str) -> Option<Field<'m>> {
    Some(match (space, name) {
        ("dc", "title") => Field::Words(&mut metadata.title),
        ("dc", "subject") => Field::Words(&mut metadata.subject),
        // In OpenDocument `dc:creator` is the last editor. The author comes first.
        ("dc", "creator") if metadata.author.is_none() => Field::Words(&mut metadata.author),
        ("meta", "initial-creator") => Field::Words(&mut metadata.author),
        ("cp", "keywords") => Field::Words(&mut metadata.keywords),
        ("meta", "keyword") => Field::More(&mut metadata.keywords),
        ("ep", "Application") | ("meta", "generator") => Field::Words(&mut metadata.producer),
        ("dcterms", "created") | ("meta", "creation-date") => Field::Time(&mut metadata.created),
        ("dcterms", "modified") | ("dc", "date") => Field::Time(&mut metadata.modified),
        _ => return None,
    })
}

/// Converts a W3C date to RFC 3339, which requires a time and a zone; `None` if it is not a valid date.
fn rfc3339(date: &str) -> Option<String> {
    let (day, time) = date.split_once('T').unwrap_or((date, "00:00:00"));
    let is_day = day.len() == 10 && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let is_time = |byte: u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'+' | b'-' | b'Z');
    if !is_day || time.len() < 5 || !time.bytes().all(is_time) {
        return None;
    }
    let seconds = if time.len() == 5 { ":00" } else { "" };
    let zone = if time.contains(['Z', '+', '-']) { "" } else { "Z" };
    Some(format!("{day}T{time}{seconds}{zone}"))
}
