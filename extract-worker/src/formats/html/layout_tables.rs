//! Distinguishes tables of data from tables that only lay out the page, as in most email.

use super::elements::{Kind, attribute};
use super::tokens::tokens;
use html5gum::Token;

/// Nested tables are examined down to this depth; deeper ones count as layout.
pub(super) const DEEPEST_TABLE: usize = 64;

/// For each table of a page, in order of appearance, whether it is only layout: it says so itself, or it
/// contains headings or tables.
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
