//! How cells show their numbers, according to the number formats of their styles.

use super::format_code;
use super::numbers::Shown;
use crate::office::xml::{Node, Xml};
use std::collections::HashMap;

/// How cells of each style display numbers.
#[derive(Debug, Default)]
pub(super) struct Styles {
    shown: Vec<Shown>,
}

impl Styles {
    pub(super) fn new(xml: &str) -> Self {
        let mut formats: HashMap<u32, Shown> = HashMap::new();
        let mut styles = Self::default();
        let mut in_cell_formats = false;
        let mut reader = Xml::new(xml);
        while let Some(node) = reader.next() {
            match node {
                Node::Start(element) if element.is("x", "numFmt") => {
                    let code = element.attribute("formatCode").unwrap_or_default();
                    formats.insert(element.number("numFmtId").unwrap_or_default(), format_code::shown(&code));
                }
                Node::Start(element) if element.is("x", "cellXfs") => in_cell_formats = true,
                Node::End(end) if end.is("x", "cellXfs") => in_cell_formats = false,
                Node::Start(element) if in_cell_formats && element.is("x", "xf") => {
                    let id = element.number("numFmtId").unwrap_or_default();
                    styles.shown.push(formats.get(&id).cloned().unwrap_or_else(|| built_in(id)));
                }
                Node::Start(_) | Node::End(_) | Node::Text(_) => {}
            }
        }
        styles
    }

    pub(super) fn get(&self, index: usize) -> &Shown {
        self.shown.get(index).unwrap_or(&Shown::Number)
    }
}

/// The built-in formats, including those of East Asian editions.
fn built_in(id: u32) -> Shown {
    match id {
        9 | 10 => Shown::Percent,
        14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58 => Shown::Date,
        18..=21 | 32..=35 | 45 | 47 | 55 | 56 => Shown::Time,
        22 => Shown::DateAndTime,
        46 => Shown::Elapsed,
        12 => format_code::shown("# ?/?"),
        13 => format_code::shown("# ??/??"),
        _ => Shown::Number,
    }
}
