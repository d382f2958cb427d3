//! An element that browsers do not show, and where it ends.

use super::elements::ends_at_its_like;
use html5gum::Token;

/// A hidden element, and how many elements of that name are open inside each other.
pub(super) struct HiddenElement {
    name: Vec<u8>,
    depth: usize,
}

/// What a token means for an element that is not shown.
pub(super) enum Shown {
    /// The element continues.
    Not,
    /// The element ends with this token.
    Next,
    /// The element ended before this token.
    This,
}

impl HiddenElement {
    pub(super) fn new(name: &[u8]) -> Self {
        Self { name: name.to_vec(), depth: 1 }
    }

    pub(super) fn token(&mut self, token: &Token) -> Shown {
        match token {
            Token::StartTag(tag) if tag.name == self.name => {
                if ends_at_its_like(&self.name) {
                    return Shown::This;
                }
                self.depth += usize::from(!tag.self_closing);
            }
            Token::EndTag(tag) if tag.name == self.name => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Shown::Next;
                }
            }
            _ => {}
        }
        Shown::Not
    }
}
