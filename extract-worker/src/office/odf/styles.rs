//! What named styles say that matters to the text: where pages begin, and how list items are marked.

use crate::office::xml::{Element, Node, Xml};
use crate::output::numerals::Numeral;
use std::collections::{HashMap, HashSet};

/// The name by which the numbering of headings is known among the styles of lists; no file has one like it.
pub(super) const OUTLINE: &str = "\0outline";
/// What stands before or after a number, in characters.
const LONGEST_SIGN: usize = 40;
/// Lists and headings have no more levels.
pub(super) const MOST_LEVELS: u8 = 10;

/// How items of one depth are marked.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    /// `None`: a bullet.
    pub(super) numeral: Option<Numeral>,
    pub(super) prefix: String,
    pub(super) suffix: String,
    pub(super) start: Option<u32>,
    /// How many levels are said, this one last: 2 for `3.1`.
    pub(super) shown: usize,
}

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

impl Level {
    pub(super) fn new(element: &Element<'_>) -> Self {
        let numeral = match element.attribute("num-format").as_deref() {
            _ if !matches!(element.name(), "list-level-style-number" | "outline-level-style") => None,
            Some("a") => Some(Numeral::LowerLetter),
            Some("A") => Some(Numeral::UpperLetter),
            Some("i") => Some(Numeral::LowerRoman),
            Some("I") => Some(Numeral::UpperRoman),
            Some("") => Some(Numeral::Nothing),
            None if element.name() == "outline-level-style" => Some(Numeral::Nothing),
            _ => Some(Numeral::Decimal),
        };
        // It is said before every item, so that a long one would be no sign but a flood.
        let sign = |name: &str| {
            let sign = element.attribute(name).unwrap_or_default();
            sign.chars().take(LONGEST_SIGN).collect::<String>()
        };
        Self {
            numeral,
            prefix: sign("num-prefix"),
            suffix: sign("num-suffix"),
            start: element.number("start-value"),
            shown: element.number("display-levels").unwrap_or(1),
        }
    }

    pub(super) fn is_numbered(&self) -> bool {
        self.numeral.is_some_and(|numeral| numeral != Numeral::Nothing)
    }
}
