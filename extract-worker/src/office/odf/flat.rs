//! Flat OpenDocument: all parts of a file in one XML document, without a ZIP file around them.

use super::Kind;
use crate::input::encoding;
use crate::office::xml::{Node, Xml};

/// The XML declaration or the root element starts within as many bytes.
const LONGEST_START: usize = 64;

/// The text of a file, if it is a flat OpenDocument.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    let start = &bytes[..bytes.len().min(LONGEST_START)];
    if bytes.starts_with(b"PK") || !start.contains(&b'<') {
        return None;
    }
    let text = encoding::decode_xml(bytes.to_vec());
    kind(&text).is_some().then_some(text)
}

/// The kind of file that a text is; `None` for anything but a flat OpenDocument that has a reader.
pub(crate) fn kind(text: &str) -> Option<Kind> {
    let mut reader = Xml::new(text);
    loop {
        match reader.next()? {
            Node::Text(_) => {}
            Node::Start(element) if element.is("office", "document") => {
                let media_type = element.attribute("mimetype")?;
                return Kind::of_media_type(&media_type);
            }
            Node::Start(_) | Node::End(_) => return None,
        }
    }
}
