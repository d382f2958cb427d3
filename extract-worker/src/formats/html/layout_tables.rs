//! Tells the tables that hold data from those that only place things on the page, as in most mail.

use super::elements::{Kind, attribute};
use super::tokens;
use html5gum::Token;

/// Tables within each other are told apart to this depth; deeper ones place things.
pub(super) const DEEPEST_TABLE: usize = 64;

/// For each table of a page, in the order in which they begin, whether it only places things: it says so, or
/// it holds headings or tables.
pub(super) fn tables(html: &str) -> Vec<bool> {
    let mut tables: Vec<bool> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut deeper = 0_usize;
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => match Kind::of(&tag.name) {
                Kind::Table => {
                    if let Some(outer) = open.last() {
                        tables[*outer] = true;
                    }
                    let says_so = matches!(attribute(&tag, "role"), Some("presentation" | "none"));
                    if open.len() < DEEPEST_TABLE {
                        open.push(tables.len());
                        tables.push(says_so);
                    } else {
                        deeper += 1;
                        tables.push(true);
                    }
                }
                Kind::Heading(_) => open.last().into_iter().for_each(|table| tables[*table] = true),
                _ => {}
            },
            Token::EndTag(tag) if Kind::of(&tag.name) == Kind::Table => {
                if deeper > 0 {
                    deeper -= 1;
                } else {
                    open.pop();
                }
            }
            _ => {}
        }
    }
    tables
}
