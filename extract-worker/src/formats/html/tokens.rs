//! The tokens of a page, as a browser's tokenizer sees them.
//!
//! Invariant: neither the stack nor the memory that a tag needs depends on how many attributes it has. The
//! tokenizer calls itself once for each quoted attribute, so its reader interrupts it regularly.

use html5gum::{
    DefaultEmitter, Emitter, Error, ForwardingEmitter, Readable, Reader, State, StringReader, Token,
    Tokenizer, naive_next_state,
};

/// As many attributes of a tag are kept; the rest have no effect.
const MOST_ATTRIBUTES: usize = 1000;
/// The tokenizer is interrupted after as many pieces of quoted values.
const PIECES_AT_ONCE: u32 = 256;

/// The tokens of a page. Only XHTML has self-closing elements such as `<script/>`.
pub(super) fn tokens(html: &str) -> impl Iterator<Item = Token> {
    let is_xml = html.trim_start().starts_with("<?xml");
    let reader = InterruptingReader { input: html.to_reader(), pieces: 0 };
    let mut tokenizer = Tokenizer::new_with_emitter(reader, BoundedEmitter::default());
    std::iter::from_fn(move || {
        loop {
            let mut token = match tokenizer.next()? {
                Ok(token) => token,
                Err(Interrupted) => continue,
            };
            if let Token::StartTag(tag) = &mut token {
                tag.self_closing &= is_xml;
                if let Some(state) = content(&tag.name).filter(|_| !tag.self_closing) {
                    tokenizer.set_state(state);
                }
            }
            return Some(token);
        }
    })
}

/// Scripts and similar elements contain no tags.
fn content(name: &[u8]) -> Option<State> {
    if name == b"noframes" { Some(State::RawText) } else { naive_next_state(name) }
}

/// Reads a string. Sometimes it fails inside a quoted value, where the tokenizer can continue as if nothing
/// had happened, with an empty stack.
struct InterruptingReader<'h> {
    input: StringReader<'h>,
    /// Pieces of quoted values since the last interruption.
    pieces: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("the tokenizer was interrupted")]
struct Interrupted;

impl Reader for InterruptingReader<'_> {
    type Error = Interrupted;

    #[inline]
    fn read_byte(&mut self) -> Result<Option<u8>, Interrupted> {
        let Ok(byte) = self.input.read_byte();
        Ok(byte)
    }

    #[inline]
    fn try_read_string(&mut self, text: &[u8], case_sensitive: bool) -> Result<bool, Interrupted> {
        let Ok(was_read) = self.input.try_read_string(text, case_sensitive);
        Ok(was_read)
    }

    #[inline]
    fn read_until<'b>(
        &'b mut self,
        ends: &[u8],
        buffer: &'b mut [u8; 4],
    ) -> Result<Option<&'b [u8]>, Interrupted> {
        // Of all states, only a value in double quotes ends at a quote or a character reference.
        if ends.starts_with(b"\"&") {
            self.pieces += 1;
            if self.pieces > PIECES_AT_ONCE {
                self.pieces = 0;
                return Err(Interrupted);
            }
        }
        let Ok(read) = self.input.read_until(ends, buffer);
        Ok(read)
    }
}

/// Ignores syntax errors, and the attributes of a tag that has too many.
#[derive(Default)]
struct BoundedEmitter {
    tokens: DefaultEmitter,
    /// Attributes of the current tag.
    attributes: usize,
}

impl BoundedEmitter {
    fn has_room(&self) -> bool {
        self.attributes <= MOST_ATTRIBUTES
    }
}

impl ForwardingEmitter for BoundedEmitter {
    type Token = Token;

    fn inner(&mut self) -> &mut impl Emitter<Token = Token> {
        &mut self.tokens
    }

    fn emit_error(&mut self, _: Error) {}

    fn init_start_tag(&mut self) {
        self.attributes = 0;
        self.inner().init_start_tag();
    }

    fn init_end_tag(&mut self) {
        self.attributes = 0;
        self.inner().init_end_tag();
    }

    fn init_attribute(&mut self) {
        self.attributes += 1;
        if self.has_room() {
            self.inner().init_attribute();
        }
    }

    fn push_attribute_name(&mut self, name: &[u8]) {
        if self.has_room() {
            self.inner().push_attribute_name(name);
        }
    }

    fn push_attribute_value(&mut self, value: &[u8]) {
        if self.has_room() {
            self.inner().push_attribute_value(value);
        }
    }
}
