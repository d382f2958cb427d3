//! The XML of a part as a flat sequence of elements and text.
//!
//! Elements are identified by namespace, never by the prefix that a file happens to use. We name a namespace
//! by the prefix in its standard (`p`, `a`, `text`); transitional and strict Open XML share these. Of
//! `mc:AlternateContent` only the first alternative is visible.
//!
//! Invariant: no recursion over nested elements; entities defined by the document are not expanded.
//! Invariant: everything before an XML error is returned; the error ends the sequence.

use quick_xml::events::{BytesEnd, BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, XmlVersion};
use std::borrow::Cow;

/// One item of the sequence.
#[derive(Debug)]
pub(crate) enum Node<'x> {
    /// The start of an element. An empty element ends immediately.
    Start(Element<'x>),
    /// The end of an element.
    End(End<'x>),
    /// Text.
    Text(Cow<'x, str>),
}

/// The start of an element.
#[derive(Debug)]
pub(crate) struct Element<'x> {
    /// Its namespace: the usual prefix, or empty if it is unknown.
    pub(crate) space: &'static str,
    start: BytesStart<'x>,
}

impl Element<'_> {
    /// The local name.
    pub(crate) fn name(&self) -> &str {
        self.start.local_name().into_inner()
    }

    /// Whether the element has this namespace and name.
    pub(crate) fn is(&self, space: &str, name: &str) -> bool {
        self.space == space && self.name() == name
    }

    /// The first attribute with this local name, whatever its prefix.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        self.find(|key| key.local_name().into_inner() == name)
    }

    /// The attribute with this local name and a prefix: in Open XML, one from another vocabulary (`r:id`).
    pub(crate) fn foreign_attribute(&self, name: &str) -> Option<String> {
        self.find(|key| key.prefix().is_some() && key.local_name().into_inner() == name)
    }

    /// A numeric attribute.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.attribute(name)?.trim().parse().ok()
    }

    /// A boolean attribute; `None` if it is missing.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.attribute(name).map(|value| matches!(value.as_str(), "1" | "true" | "on"))
    }

    fn find(&self, is_it: impl Fn(quick_xml::name::QName<'_>) -> bool) -> Option<String> {
        let mut attributes = self.start.attributes();
        let found = attributes.with_checks(false).filter_map(Result::ok).find(|one| is_it(one.key))?;
        Some(found.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
    }
}

/// The end of an element.
#[derive(Debug)]
pub(crate) struct End<'x> {
    /// See [`Element::space`].
    pub(crate) space: &'static str,
    end: BytesEnd<'x>,
}

impl End<'_> {
    /// The local name.
    pub(crate) fn name(&self) -> &str {
        self.end.local_name().into_inner()
    }

    /// Whether the element has this namespace and name.
    pub(crate) fn is(&self, space: &str, name: &str) -> bool {
        self.space == space && self.name() == name
    }
}

/// The reader of one part.
#[derive(Debug)]
pub(crate) struct Xml<'x> {
    reader: NsReader<&'x [u8]>,
    /// How many elements are open.
    depth: usize,
    /// For each open `mc:AlternateContent`, its depth and whether an alternative was already used.
    alternatives: Vec<(usize, bool)>,
    is_broken: bool,
}

impl<'x> Xml<'x> {
    pub(crate) fn new(xml: &'x str) -> Self {
        let mut reader = NsReader::from_str(xml);
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        config.expand_empty_elements = true;
        Self { reader, depth: 0, alternatives: Vec::new(), is_broken: false }
    }

    /// The next item; `None` at the end or at an XML error.
    pub(crate) fn next(&mut self) -> Option<Node<'x>> {
        loop {
            let node = self.read()?;
            match &node {
                Node::Start(element) if element.space == "mc" && !self.is_taken(element) => self.skip()?,
                _ => return Some(node),
            }
        }
    }

    /// Whether the sequence ended at an error.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Calls `each` for every child of the innermost open element, then leaves that element. Content that
    /// `each` does not read is skipped.
    pub(crate) fn children(&mut self, mut each: impl FnMut(&mut Self, &Element<'x>)) {
        let inside = self.depth;
        while self.depth >= inside {
            match self.next() {
                Some(Node::Start(child)) => {
                    each(self, &child);
                    while self.depth > inside {
                        if self.read().is_none() {
                            return;
                        }
                    }
                }
                Some(_) => {}
                None => return,
            }
        }
    }

    /// How many elements are open.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Skips the rest of the innermost open element.
    pub(crate) fn skip(&mut self) -> Option<()> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            self.read()?;
        }
        Some(())
    }

    /// The text up to the end of the innermost open element, including its children.
    pub(crate) fn text(&mut self) -> String {
        let mut text = String::new();
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            match self.read() {
                Some(Node::Text(more)) => text.push_str(&more),
                Some(_) => {}
                None => break,
            }
        }
        text
    }

    fn read(&mut self) -> Option<Node<'x>> {
        loop {
            let Ok((namespace, event)) = self.reader.read_resolved_event() else {
                self.is_broken = true;
                return None;
            };
            return Some(match event {
                Event::Start(start) => {
                    self.depth += 1;
                    Node::Start(Element { space: usual_prefix(&namespace), start })
                }
                Event::End(end) => {
                    if self.alternatives.last().is_some_and(|(depth, _)| *depth == self.depth) {
                        self.alternatives.pop();
                    }
                    self.depth = self.depth.saturating_sub(1);
                    Node::End(End { space: usual_prefix(&namespace), end })
                }
                Event::Text(text) => Node::Text(text.xml10_content()),
                Event::CData(text) => Node::Text(text.xml10_content()),
                Event::GeneralRef(reference) => Node::Text(Cow::Owned(expand(&reference))),
                Event::Eof => return None,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                    continue;
                }
            });
        }
    }

    /// Whether the content of an `mc` element is visible: only the first alternative is.
    fn is_taken(&mut self, element: &Element<'_>) -> bool {
        match (element.name(), self.alternatives.last_mut()) {
            ("AlternateContent", _) => {
                self.alternatives.push((self.depth, false));
                true
            }
            ("Choice" | "Fallback", Some((_, taken))) => !std::mem::replace(taken, true),
            _ => true,
        }
    }
}

/// Resolves only the entities that XML itself predefines.
fn expand(reference: &BytesRef<'_>) -> String {
    let character = match &**reference {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return reference.resolve_char_ref().ok().flatten().map(String::from).unwrap_or_default(),
    };
    character.into()
}

/// The usual prefix of a namespace.
fn usual_prefix(namespace: &ResolveResult<'_>) -> &'static str {
    let ResolveResult::Bound(Namespace(namespace)) = namespace else { return "" };
    if let Some(open_document) = namespace.strip_prefix("urn:oasis:names:tc:opendocument:xmlns:") {
        return match open_document {
            "text:1.0" => "text",
            "table:1.0" => "table",
            "office:1.0" => "office",
            "drawing:1.0" => "draw",
            "style:1.0" => "style",
            "meta:1.0" => "meta",
            "presentation:1.0" => "presentation",
            "svg-compatible:1.0" => "svg",
            "manifest:1.0" => "manifest",
            _ => "",
        };
    }
    let open_xml = namespace
        .strip_prefix("http://schemas.openxmlformats.org/")
        .or_else(|| namespace.strip_prefix("http://purl.oclc.org/ooxml/"))
        .or_else(|| namespace.strip_prefix("http://schemas.microsoft.com/office/"));
    match open_xml.unwrap_or(namespace) {
        "wordprocessingml/2006/main" | "wordprocessingml/main" => "w",
        "drawingml/2006/wordprocessingDrawing" | "drawingml/wordprocessingDrawing" => "wp",
        "urn:schemas-microsoft-com:vml" => "v",
        "spreadsheetml/2006/main" | "spreadsheetml/main" => "x",
        "presentationml/2006/main" | "presentationml/main" => "p",
        "drawingml/2006/main" | "drawingml/main" => "a",
        "drawingml/2006/chart" | "drawingml/chart" => "c",
        "drawingml/2006/diagram" | "drawingml/diagram" => "dgm",
        "drawing/2014/chartex" => "cx",
        "drawingml/2006/spreadsheetDrawing" | "drawingml/spreadsheetDrawing" => "xdr",
        "officeDocument/2006/math" | "officeDocument/math" => "m",
        "markup-compatibility/2006" => "mc",
        "package/2006/metadata/core-properties" => "cp",
        "officeDocument/2006/extended-properties" | "officeDocument/extendedProperties" => "ep",
        "spreadsheetml/2018/threadedcomments" => "xtc",
        "powerpoint/2018/8/main" => "p188",
        "http://purl.org/dc/elements/1.1/" => "dc",
        "http://purl.org/dc/terms/" => "dcterms",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(xml: &str) -> String {
        let mut reader = Xml::new(xml);
        let mut told = String::new();
        while let Some(node) = reader.next() {
            match node {
                Node::Start(element) => told.extend(["<", element.space, ":", element.name()]),
                Node::End(_) => told.push('>'),
                Node::Text(text) => told.push_str(&text),
            }
        }
        told
    }

    #[test]
    fn elements_go_by_their_namespace() {
        let strict =
            r#"<q:sld xmlns:q="http://purl.oclc.org/ooxml/presentationml/main"><q:x/>a&amp;&#66;</q:sld>"#;
        assert_eq!(told(strict), "<p:sld<p:x>a&B>");
        assert_eq!(told(r#"<p:sld xmlns:p="urn:another"/>"#), "<:sld>");
    }

    #[test]
    fn of_alternatives_the_first_is_seen() {
        let xml = r#"<a xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">
<mc:AlternateContent><mc:Choice><b/></mc:Choice><mc:Choice>no</mc:Choice><mc:Fallback>no</mc:Fallback></mc:AlternateContent></a>"#;
        assert_eq!(told(xml), "<:a\n<mc:AlternateContent<mc:Choice<:b>>>>");
    }

    #[test]
    fn children_are_shown_and_what_is_in_them_is_skipped() {
        let mut reader = Xml::new("<a><b x='1'><c/></b><d>text<e/></d></a><f/>");
        let mut seen = Vec::new();
        reader.next();
        reader.children(|reader, child| {
            seen.push(child.name().to_owned());
            if child.name() == "d" {
                seen.push(reader.text());
            }
        });
        assert_eq!(seen, ["b", "d", "text"]);
        assert!(matches!(reader.next(), Some(Node::Start(element)) if element.name() == "f"));
    }

    #[test]
    fn entities_of_the_document_are_not_expanded_and_errors_end_the_run() {
        assert_eq!(told("<!DOCTYPE a [<!ENTITY e 'boom'>]><a>x&e;y</a>"), "<:axy>");
        assert_eq!(told("<a>x</b>y"), "<:ax");
    }
}
