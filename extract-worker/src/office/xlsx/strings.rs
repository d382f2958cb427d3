//! Shared strings, and strings inside cells.

use crate::office::xml::{Node, Xml};

/// All shared strings of a workbook.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    pub(super) fn new(xml: &str) -> Self {
        let mut strings = Self::default();
        let mut reader = Xml::new(xml);
        while let Some(node) = reader.next() {
            if matches!(node, Node::Start(element) if element.is("x", "si")) {
                strings.text.push_str(&rich(&mut reader, "si"));
                strings.ends.push(strings.text.len());
            }
        }
        strings
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }
}

/// The text of the runs up to the end of the element with this name, without phonetic hints.
pub(super) fn rich(reader: &mut Xml<'_>, within: &str) -> String {
    let mut text = String::new();
    while let Some(node) = reader.next() {
        match node {
            Node::Start(element) if element.is("x", "t") => text.push_str(&reader.text()),
            Node::Start(element) if element.is("x", "rPh") => drop(reader.skip()),
            Node::End(end) if end.is("x", within) => break,
            Node::Start(_) | Node::End(_) | Node::Text(_) => {}
        }
    }
    unescape(text)
}

/// Decodes `_x000D_`, the escape for characters that XML cannot contain.
fn unescape(text: String) -> String {
    if !text.contains("_x") {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("_x") {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let digits = escape.get(2..6).filter(|_| escape.as_bytes().get(6) == Some(&b'_'));
        let escaped = digits.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        if let Some(character) = escaped {
            plain.push(character);
            rest = &escape[7..];
        } else {
            plain.push_str("_x");
            rest = &escape[2..];
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_characters() {
        assert_eq!(unescape("a_x000D_b_x005F_c_xZZ_é_x00".to_owned()), "a\rb_c_xZZ_é_x00");
    }
}
