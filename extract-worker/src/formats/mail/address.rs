//! Formats address lists for reading.

use super::words;

/// Formats addresses as `Name <address>`, separated by commas. Encoded words in `list` are not decoded yet, so
/// commas and brackets inside them are not taken for separators.
pub(super) fn list(list: &str) -> String {
    let mut read = Vec::new();
    let mut one = Address::default();
    let mut characters = list.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted(&mut characters, '"', one.open()),
            '(' => {
                one.comment.clear();
                quoted(&mut characters, ')', &mut one.comment);
            }
            '<' if !one.in_brackets => {
                one.in_brackets = true;
                one.mailbox.clear();
            }
            '>' => one.in_brackets = false,
            // A semicolon ends a group. Its name precedes the colon.
            ',' | ';' if !one.in_brackets => read.extend(std::mem::take(&mut one).read()),
            ':' if !one.in_brackets => {
                let name = std::mem::take(&mut one).read();
                read.extend(name.map(|name| format!("{name}:")));
            }
            character => one.open().push(character),
        }
    }
    read.extend(one.read());
    let mut joined = String::new();
    for address in read {
        if !joined.is_empty() {
            joined.push_str(if joined.ends_with(':') { " " } else { ", " });
        }
        joined.push_str(&address);
    }
    joined
}

/// Reads up to the closing character, unescaping backslashes.
fn quoted(characters: &mut std::str::Chars<'_>, close: char, to: &mut String) {
    while let Some(character) = characters.next() {
        match character {
            '\\' => to.extend(characters.next()),
            character if character == close => return,
            character => to.push(character),
        }
    }
}

#[derive(Debug, Default)]
struct Address {
    words: String,
    mailbox: String,
    comment: String,
    in_brackets: bool,
}

impl Address {
    /// The target of characters.
    fn open(&mut self) -> &mut String {
        if self.in_brackets { &mut self.mailbox } else { &mut self.words }
    }

    fn read(self) -> Option<String> {
        let said = |text: &str| words::decode(text).split_whitespace().collect::<Vec<_>>().join(" ");
        let (words, address, comment) = (said(&self.words), said(&self.mailbox), said(&self.comment));
        let (name, address) = match (words.is_empty(), address.is_empty()) {
            (_, false) if words.is_empty() => (comment, address),
            (_, false) => (words, address),
            (false, true) => (comment, words),
            (true, true) => (String::new(), comment),
        };
        match (name.is_empty() || name == address, address.is_empty()) {
            (_, true) => None,
            (true, false) => Some(address),
            (false, false) => Some(format!("{name} <{address}>")),
        }
    }
}
