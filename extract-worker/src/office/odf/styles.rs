//! Named styles that affect the text: page breaks and list markers.

use crate::office::xml::{Element, Node, Xml};
use crate::output::numerals::Numeral;
use std::collections::{HashMap, HashSet};

/// The name under which heading numbering is stored among the list styles. No real list style has this name.
pub(super) const OUTLINE: &str = "\0outline";
/// Maximum length of the prefix or suffix of a number, in characters.
const LONGEST_SIGN: usize = 40;
/// The maximum number of levels of lists and headings.
pub(super) const MOST_LEVELS: u8 = 10;

/// The marker format of one list level.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    /// `None` for a bullet.
    pub(super) numeral: Option<Numeral>,
    pub(super) prefix: String,
    pub(super) suffix: String,
    pub(super) start: Option<u32>,
    /// How many levels are shown, ending with this one: 2 for `3.1`.
    pub(super) shown: usize,
}

/// The styles of a document.
#[derive(Debug, Default)]
pub(super) struct Styles {
    /// Paragraph styles that start a page.
    page_breaks: HashSet<String>,
    /// Paragraph styles that opt out of lists; their headings are not numbered.
    unlisted: HashSet<String>,
    lists: HashMap<String, Vec<Level>>,
    /// For styles of paragraphs and characters, whether they hide text.
    hides: HashMap<String, bool>,
    parents: HashMap<String, String>,
}

/// The longest chain of styles that is followed, in case it is a loop.
const LONGEST_CHAIN: usize = 12;

impl Styles {
    /// Adds the styles of a part. Automatic styles of a part override shared ones with the same name.
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
                    if let Some(parent) = element.attribute("parent-style-name") {
                        self.parents.insert(style.clone(), parent);
                    }
                }
                ("style", "text-properties") => {
                    if let Some(display) = element.attribute("display") {
                        self.hides.insert(style.clone(), display == "none");
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

    /// Whether a style hides text; `None` if it does not say.
    pub(super) fn hides(&self, style: &str) -> Option<bool> {
        let mut style = style;
        for _ in 0..LONGEST_CHAIN {
            if let Some(hides) = self.hides.get(style) {
                return Some(*hides);
            }
            style = self.parents.get(style)?;
        }
        None
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

    /// Whether headings at this depth (from 0) and in this style are numbered.
    pub(super) fn numbers_heading(&self, style: &str, depth: usize) -> bool {
        !self.unlisted.contains(style) && self.level(OUTLINE, depth).is_numbered()
    }

    /// The marker format of items at this depth (from 0).
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
        // It is repeated before every item, so a long one would flood the output.
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
