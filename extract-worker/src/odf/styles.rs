//! What named styles say that matters to the text: where pages begin, and how list items are marked.

use super::lists::{Level, MOST_LEVELS, OUTLINE};
use crate::xml::{Element, Node, Xml};
use std::collections::{HashMap, HashSet};

/// The styles of a document.
#[derive(Debug, Default)]
pub(super) struct Styles {
    /// Styles of paragraphs that begin a page.
    page_breaks: HashSet<String>,
    /// Styles of paragraphs that say they are in no list: their headings have no number.
    unlisted: HashSet<String>,
    lists: HashMap<String, Vec<Level>>,
}

impl Styles {
    /// Takes the styles of a part; those that only this part uses go before shared ones of the same name.
    pub(super) fn add(&mut self, xml: &str) {
        let mut style = String::new();
        let mut reader = Xml::new(xml);
        while let Some(node) = reader.next() {
            let Node::Start(element) = node else { continue };
            match (element.space, element.name()) {
                ("office", "body") => return,
                ("style", "style") => {
                    style = element.attribute("name").unwrap_or_default();
                    if element.attribute("master-page-name").is_some_and(|name| !name.is_empty()) {
                        self.page_breaks.insert(style.clone());
                    }
                    if element.attribute("list-style-name").is_some_and(|name| name.is_empty()) {
                        self.unlisted.insert(style.clone());
                    }
                }
                ("style", "paragraph-properties")
                    if element.attribute("break-before").as_deref() == Some("page") =>
                {
                    self.page_breaks.insert(style.clone());
                }
                ("text", "list-style") => {
                    style = element.attribute("name").unwrap_or_default();
                    self.lists.insert(style.clone(), Vec::new());
                }
                ("text", "outline-style") => {
                    OUTLINE.clone_into(&mut style);
                    self.lists.insert(style.clone(), Vec::new());
                }
                (
                    "text",
                    "list-level-style-number"
                    | "list-level-style-bullet"
                    | "list-level-style-image"
                    | "outline-level-style",
                ) => self.add_level(&style, &element),
                _ => {}
            }
        }
    }

    fn add_level(&mut self, style: &str, element: &Element<'_>) {
        let number = element.number::<usize>("level").unwrap_or(1).clamp(1, usize::from(MOST_LEVELS));
        if let Some(levels) = self.lists.get_mut(style) {
            levels.resize(levels.len().max(number), Level::default());
            levels[number - 1] = Level::new(element);
        }
    }

    pub(super) fn begins_page(&self, style: &str) -> bool {
        self.page_breaks.contains(style)
    }

    /// Whether headings at a depth (from 0), in this style, have a number.
    pub(super) fn numbers_heading(&self, style: &str, depth: usize) -> bool {
        !self.unlisted.contains(style) && self.level(OUTLINE, depth).is_numbered()
    }

    /// How items at a depth (from 0) are marked.
    pub(super) fn level(&self, list: &str, depth: usize) -> Level {
        self.lists.get(list).and_then(|levels| levels.get(depth)).cloned().unwrap_or_default()
    }
}
