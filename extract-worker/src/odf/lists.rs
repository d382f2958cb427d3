//! Lists: which item is which, and how it is marked.

use super::styles::Styles;
use crate::numerals::Numeral;
use crate::prose::Block;
use crate::xml::Element;
use std::collections::HashMap;

/// How items of one depth are marked.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    /// `None`: a bullet.
    numeral: Option<Numeral>,
    prefix: String,
    suffix: String,
    start: Option<u32>,
    /// How many levels are said, this one last: 2 for `3.1`.
    shown: usize,
}

const BULLET: &str = "•";

impl Level {
    pub(super) fn new(element: &Element<'_>) -> Self {
        let numeral = match element.attribute("num-format").as_deref() {
            _ if element.name() != "list-level-style-number" => None,
            Some("a") => Some(Numeral::LowerLetter),
            Some("A") => Some(Numeral::UpperLetter),
            Some("i") => Some(Numeral::LowerRoman),
            Some("I") => Some(Numeral::UpperRoman),
            Some("") => Some(Numeral::Nothing),
            _ => Some(Numeral::Decimal),
        };
        Self {
            numeral,
            prefix: element.attribute("num-prefix").unwrap_or_default(),
            suffix: element.attribute("num-suffix").unwrap_or_default(),
            start: element.number("start-value"),
            shown: element.number("display-levels").unwrap_or(1),
        }
    }
}

/// The lists that are open, outermost first.
#[derive(Debug, Default)]
pub(super) struct Lists {
    open: Vec<List>,
    /// Where lists of a style left off, which later ones may go on from.
    left_off: HashMap<(String, usize), u32>,
}

#[derive(Debug)]
struct List {
    style: String,
    /// The number of the item that is open.
    number: u32,
    /// Whether an item has begun that has had no paragraph.
    is_fresh: bool,
}

impl Lists {
    pub(super) fn start(&mut self, element: &Element<'_>, styles: &Styles) {
        let inherited = || self.open.last().map(|list| list.style.clone());
        let style = element.attribute("style-name").or_else(inherited).unwrap_or_default();
        let depth = self.open.len();
        let goes_on =
            element.flag("continue-numbering") == Some(true) || element.attribute("continue-list").is_some();
        let left_off = self.left_off.get(&(style.clone(), depth)).filter(|_| goes_on).copied();
        let first = styles.level(&style, depth).start.unwrap_or(1);
        let number = left_off.unwrap_or_else(|| first.saturating_sub(1));
        self.open.push(List { style, number, is_fresh: false });
    }

    pub(super) fn end(&mut self) {
        if let Some(list) = self.open.pop() {
            self.left_off.insert((list.style, self.open.len()), list.number);
        }
    }

    pub(super) fn item(&mut self, element: &Element<'_>) {
        if let Some(list) = self.open.last_mut() {
            list.number = element.number("start-value").unwrap_or(list.number.saturating_add(1));
            list.is_fresh = true;
        }
    }

    /// What the paragraph that begins is: the first of an item has its mark.
    pub(super) fn block(&mut self, styles: &Styles) -> Block {
        let depth = self.open.len().saturating_sub(1);
        if !self.open.last_mut().is_some_and(|list| std::mem::take(&mut list.is_fresh)) {
            return Block::Plain;
        }
        let marker = self.marker(depth, styles);
        Block::Item { depth: u8::try_from(depth).unwrap_or(u8::MAX), marker }
    }

    fn marker(&self, depth: usize, styles: &Styles) -> String {
        let Some(list) = self.open.get(depth) else { return String::new() };
        let level = styles.level(&list.style, depth);
        let Some(numeral) = level.numeral else { return BULLET.to_owned() };
        let shown = level.shown.clamp(1, depth + 1).min(10);
        let mut marker = level.prefix;
        for above in depth + 1 - shown..depth {
            let outer = &self.open[above];
            let numeral = styles.level(&outer.style, above).numeral.unwrap_or_default();
            marker.push_str(&numeral.write(outer.number));
            marker.push('.');
        }
        marker.push_str(&numeral.write(list.number));
        marker.push_str(&level.suffix);
        marker
    }
}
