//! `styles.xml`: what a paragraph's style says of its structure.

use super::paragraph::Properties;
use crate::office::xml::{Node, Xml};
use std::collections::HashMap;

/// The paragraph styles, each with what it inherits.
#[derive(Debug, Default)]
pub(super) struct Styles {
    styles: HashMap<String, Style>,
    /// The style of paragraphs that name none.
    default: Option<String>,
}

#[derive(Debug, Default, Clone)]
struct Style {
    based_on: Option<String>,
    name: String,
    properties: Properties,
}

/// Word itself follows styles no further; in a loop this ends.
const LONGEST_CHAIN: usize = 12;
/// More styles than any document has.
const MOST_STYLES: usize = 20_000;

impl Styles {
    pub(super) fn new(xml: &str) -> Self {
        let mut styles = Self::default();
        let mut xml = Xml::new(xml);
        while let Some(node) = xml.next() {
            let Node::Start(element) = node else { continue };
            // Styles of characters and tables say nothing of paragraphs.
            if !element.is("w", "style") || element.attribute("type").is_some_and(|kind| kind != "paragraph")
            {
                continue;
            }
            let id = element.attribute("styleId").unwrap_or_default();
            if element.flag("default") == Some(true) {
                styles.default = Some(id.clone());
            }
            let mut style = Style::default();
            xml.children(|xml, child| match child.name() {
                "basedOn" => style.based_on = child.attribute("val"),
                "name" => style.name = child.attribute("val").unwrap_or_default(),
                "pPr" => style.properties = Properties::read(xml),
                _ => {}
            });
            if styles.styles.len() < MOST_STYLES {
                styles.styles.insert(id, style);
            }
        }
        styles
    }

    /// A paragraph's own properties, and below them those of its style and of all that it is based on.
    pub(super) fn apply(&self, own: Properties) -> Properties {
        let mut all = own;
        let mut next = all.style.clone().or_else(|| self.default.clone());
        for _ in 0..LONGEST_CHAIN {
            let Some(id) = next.take() else { break };
            let Some(style) = self.styles.get(&id) else {
                // A document may leave out the styles that every program knows.
                all.inherit_name(&id);
                break;
            };
            all.inherit(&style.properties, &id);
            all.inherit_name(&style.name);
            next.clone_from(&style.based_on);
        }
        all
    }

    /// The list that a list style stands for.
    pub(super) fn list_of(&self, style: &str) -> Option<u32> {
        self.styles.get(style)?.properties.list
    }
}
