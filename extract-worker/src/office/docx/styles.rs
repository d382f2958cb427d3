//! `styles.xml`: the structure that paragraph styles imply.

use super::paragraph::Properties;
use crate::office::xml::{Node, Xml};
use std::collections::HashMap;

/// The paragraph styles and the styles that they are based on.
#[derive(Debug, Default)]
pub(super) struct Styles {
    styles: HashMap<String, Style>,
    /// The default paragraph style.
    default: Option<String>,
}

#[derive(Debug, Default, Clone)]
struct Style {
    based_on: Option<String>,
    name: String,
    properties: Properties,
}

/// How far base styles are followed. Word has the same limit; it also ends loops.
const LONGEST_CHAIN: usize = 12;
/// Maximum number of styles; no real document has more.
const MOST_STYLES: usize = 20_000;

impl Styles {
    pub(super) fn new(xml: &str) -> Self {
        let mut styles = Self::default();
        let mut xml = Xml::new(xml);
        while let Some(node) = xml.next() {
            let Node::Start(element) = node else { continue };
            // Character and table styles do not apply to paragraphs.
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

    /// A paragraph's own properties, completed from its style and the styles that it is based on.
    pub(super) fn apply(&self, own: Properties) -> Properties {
        let mut all = own;
        let mut next = all.style.clone().or_else(|| self.default.clone());
        for _ in 0..LONGEST_CHAIN {
            let Some(id) = next.take() else { break };
            let Some(style) = self.styles.get(&id) else {
                // A document may omit the definitions of built-in styles.
                all.inherit_name(&id);
                break;
            };
            all.inherit(&style.properties, &id);
            all.inherit_name(&style.name);
            next.clone_from(&style.based_on);
        }
        all
    }

    /// The list for a list style.
    pub(super) fn list_of(&self, style: &str) -> Option<u32> {
        self.styles.get(style)?.properties.list
    }
}
