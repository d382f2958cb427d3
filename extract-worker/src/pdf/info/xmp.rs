//! XMP metadata (XML), used for values that are missing from the information dictionary.
//!
//! Read by namespace, in one pass, without recursion. Only the five predefined entities and numeric character
//! references are expanded.

use super::line;
use dossier_extract::Metadata;
use hayro_interpret::hayro_syntax::object::{Dict, Stream};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

/// How much of a packet is read; edit histories make some packets huge.
const MOST_BYTES: usize = 256 * 1024;
/// Maximum length of a value while reading.
const LONGEST: usize = 4000;

const DUBLIN_CORE: &str = "http://purl.org/dc/elements/1.1/";
const XMP: &str = "http://ns.adobe.com/xap/1.0/";
const PDF: &str = "http://ns.adobe.com/pdf/1.3/";

/// Fills in missing values.
pub(super) fn fill(metadata: &mut Metadata, catalog: &Dict<'_>) {
    let is_whole = [&metadata.title, &metadata.author, &metadata.created].iter().all(|value| value.is_some());
    if is_whole {
        return;
    }
    let Some(packet) = catalog.get::<Stream<'_>>(b"Metadata").and_then(|stream| stream.decoded_data().ok())
    else {
        return;
    };
    let xml = crate::input::encoding::decode_xml(packet[..packet.len().min(MOST_BYTES)].to_vec());
    for (property, value) in properties(&xml) {
        let field = match property {
            Property::Title => &mut metadata.title,
            Property::Author => &mut metadata.author,
            Property::Subject => &mut metadata.subject,
            Property::Keywords => &mut metadata.keywords,
            Property::Producer => &mut metadata.producer,
            Property::Created => &mut metadata.created,
            Property::Modified => &mut metadata.modified,
        };
        let is_date = matches!(property, Property::Created | Property::Modified);
        // Ghostscript writes this if there is no title.
        let value = line(&value).filter(|value| value != "Untitled" && (!is_date || is_rfc3339(value)));
        *field = field.take().or(value);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Property {
    Title,
    Author,
    Subject,
    Keywords,
    Producer,
    Created,
    Modified,
}

impl Property {
    fn of(namespace: &ResolveResult<'_>, name: &str) -> Option<Self> {
        let ResolveResult::Bound(Namespace(namespace)) = namespace else { return None };
        Some(match (*namespace, name) {
            (DUBLIN_CORE, "title") => Self::Title,
            (DUBLIN_CORE, "creator") => Self::Author,
            (DUBLIN_CORE, "description") => Self::Subject,
            (DUBLIN_CORE, "subject") | (PDF, "Keywords") => Self::Keywords,
            (PDF, "Producer") => Self::Producer,
            (XMP, "CreateDate") => Self::Created,
            (XMP, "ModifyDate") => Self::Modified,
            _ => return None,
        })
    }
}

/// A property being read. Its elements separate items of text.
struct Open {
    property: Property,
    depth: u32,
    items: Vec<String>,
    length: usize,
}

impl Open {
    fn new(property: Property) -> Self {
        Self { property, depth: 0, items: vec![String::new()], length: 0 }
    }

    fn text(&mut self, text: &str) {
        self.length += text.len();
        if let Some(item) = self.items.last_mut().filter(|_| self.length <= LONGEST) {
            item.push_str(text);
        }
    }

    /// Ends an element inside the property, or the property itself; an item is then complete.
    fn end(mut self, found: &mut Vec<(Property, String)>) -> Option<Self> {
        if self.depth == 0 {
            found.push((self.property, self.value()));
            return None;
        }
        self.depth -= 1;
        if self.items.last().is_some_and(|item| !item.trim().is_empty()) {
            self.items.push(String::new());
        }
        Some(self)
    }

    /// The value: the first language of a title; several authors or keywords separated by commas.
    fn value(&self) -> String {
        let mut items = self.items.iter().map(|item| item.trim()).filter(|item| !item.is_empty());
        match self.property {
            Property::Author | Property::Keywords => items.collect::<Vec<_>>().join(", "),
            _ => items.next().unwrap_or_default().to_owned(),
        }
    }
}

/// The properties in packet order.
fn properties(xml: &str) -> Vec<(Property, String)> {
    let mut found = Vec::new();
    let mut reader = NsReader::from_str(xml);
    let mut open: Option<Open> = None;
    loop {
        match (reader.read_resolved_event(), &mut open) {
            (Err(_) | Ok((_, Event::Eof)), _) => break,
            (Ok((_, Event::Start(_))), Some(open)) => open.depth += 1,
            (Ok((namespace, Event::Start(element))), None) => {
                open = Property::of(&namespace, element.local_name().as_ref()).map(Open::new);
                attributes(&reader, &element, &mut found);
            }
            (Ok((_, Event::Empty(element))), None) => attributes(&reader, &element, &mut found),
            (Ok((_, Event::Text(text))), Some(open)) => {
                open.text(&text.xml_content(XmlVersion::Implicit1_0));
            }
            (Ok((_, Event::GeneralRef(reference))), Some(open)) => match reference.resolve_char_ref() {
                Ok(Some(character)) => open.text(character.encode_utf8(&mut [0; 4])),
                _ => open.text(resolve_predefined_entity(&reference).unwrap_or_default()),
            },
            (Ok((_, Event::End(_))), Some(_)) => open = open.and_then(|open| open.end(&mut found)),
            _ => {}
        }
    }
    found
}

/// The properties that are attributes of an element.
fn attributes(reader: &NsReader<&[u8]>, element: &BytesStart<'_>, found: &mut Vec<(Property, String)>) {
    for attribute in element.attributes().with_checks(false).flatten() {
        let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
        if let Some(property) = Property::of(&namespace, name.as_ref()) {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap_or_default();
            found.push((property, value.chars().take(LONGEST).collect()));
        }
    }
}

/// Whether a date is complete. XMP allows just a year or a month.
fn is_rfc3339(date: &str) -> bool {
    let digits =
        |range| date.get(range).is_some_and(|digits: &str| digits.bytes().all(|b| b.is_ascii_digit()));
    let at = |index: usize, what: &[u8]| date.as_bytes().get(index).is_some_and(|byte| what.contains(byte));
    let (is_offset, offset) =
        date.find(['Z', '+']).or_else(|| date.rfind('-')).map_or((false, ""), |i| (i >= 19, &date[i..]));
    digits(0..4)
        && at(4, b"-")
        && digits(5..7)
        && at(7, b"-")
        && digits(8..10)
        && at(10, b"T")
        && digits(11..13)
        && at(13, b":")
        && digits(14..16)
        && at(16, b":")
        && digits(17..19)
        && is_offset
        && (offset == "Z" || offset.len() == 6)
}
