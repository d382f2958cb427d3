//! Lists: counts items and writes their markers.

use super::styles::{MOST_LEVELS, OUTLINE, Styles};
use crate::office::xml::Element;
use crate::output::markup::Block;
use std::collections::HashMap;

pub(super) const BULLET: &str = "•";

/// The open lists, outermost first.
#[derive(Debug, Default)]
pub(super) struct Lists {
    open: Vec<List>,
    /// The last number in each list style, so that later lists can continue.
    left_off: HashMap<(String, usize), u32>,
    /// The numbered headings of the document's outline, counted like list items.
    outline: Vec<List>,
}

#[derive(Debug)]
struct List {
    style: String,
    /// The number of the open item.
    number: u32,
    /// Whether an item has started that has no paragraph yet.
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

    /// The kind of the paragraph that starts now. The first paragraph of an item gets its marker.
    pub(super) fn block(&mut self, styles: &Styles) -> Block {
        let depth = self.open.len().saturating_sub(1);
        if !self.open.last_mut().is_some_and(|list| std::mem::take(&mut list.is_fresh)) {
            return Block::Plain;
        }
        let marker = marker(&self.open, styles);
        Block::Item { depth: u8::try_from(depth).unwrap_or(u8::MAX), marker }
    }

    /// The number of the heading that starts now, if the document numbers its headings.
    pub(super) fn heading(&mut self, level: u8, style: &str, styles: &Styles) -> String {
        let depth = usize::from(level.clamp(1, MOST_LEVELS)) - 1;
        if !styles.numbers_heading(style, depth) {
            return String::new();
        }
        self.outline.truncate(depth + 1);
        for above in self.outline.len()..=depth {
            let first = styles.level(OUTLINE, above).start.unwrap_or(1);
            self.outline.push(List {
                style: OUTLINE.to_owned(),
                number: first.saturating_sub(1),
                is_fresh: false,
            });
        }
        let heading = &mut self.outline[depth];
        heading.number = heading.number.saturating_add(1);
        marker(&self.outline, styles)
    }
}

/// The marker of the open item in the innermost of these lists.
fn marker(lists: &[List], styles: &Styles) -> String {
    let Some((list, around)) = lists.split_last() else { return String::new() };
    let depth = around.len();
    let level = styles.level(&list.style, depth);
    let Some(numeral) = level.numeral else { return BULLET.to_owned() };
    let shown = level.shown.clamp(1, depth + 1).min(usize::from(MOST_LEVELS));
    let mut marker = level.prefix;
    for (above, outer) in around.iter().enumerate().skip(depth + 1 - shown) {
        let numeral = styles.level(&outer.style, above).numeral.unwrap_or_default();
        marker.push_str(&numeral.write(outer.number));
        marker.push('.');
    }
    marker.push_str(&numeral.write(list.number));
    marker.push_str(&level.suffix);
    marker
}
