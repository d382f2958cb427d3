//! XMP: what the information dictionary leaves out, as XML.
//!
//! Read by namespace, in one pass, without recursion; no entity but the five of XML and characters by number
//! is expanded.

use super::line;
use dossier_extract::Metadata;
use hayro_interpret::hayro_syntax::object::{Dict, Stream};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

/// As much of a packet as is read; edits' histories make some of them huge.
const MOST_BYTES: usize = 256 * 1024;
/// Longest value that is kept while it is read.
const LONGEST: usize = 4000;

const DUBLIN_CORE: &str = "http://purl.org/dc/elements/1.1/";
const XMP: &str = "http://ns.adobe.com/xap/1.0/";
const PDF: &str = "http://ns.adobe.com/pdf/1.3/";

/// Fills in what is not known yet.
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
        // Ghostscript's word for no title.
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

/// A property while it is read: text that its elements part from other text is an item of its own.
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

    /// An element in it has ended, or it has itself: then its value is found.
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

    /// Of a title's languages the first; several authors or keywords are parted by commas.
    fn value(&self) -> String {
        let mut items = self.items.iter().map(|item| item.trim()).filter(|item| !item.is_empty());
        match self.property {
            Property::Author | Property::Keywords => items.collect::<Vec<_>>().join(", "),
            _ => items.next().unwrap_or_default().to_owned(),
        }
    }
}

/// The properties in the order of the packet.
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

/// The properties that an element has as attributes.
fn attributes(reader: &NsReader<&[u8]>, element: &BytesStart<'_>, found: &mut Vec<(Property, String)>) {
    for attribute in element.attributes().with_checks(false).flatten() {
        let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
        if let Some(property) = Property::of(&namespace, name.as_ref()) {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap_or_default();
            found.push((property, value.chars().take(LONGEST).collect()));
        }
    }
}

/// Whether a date is complete: XMP allows a year, or a month, alone.
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
