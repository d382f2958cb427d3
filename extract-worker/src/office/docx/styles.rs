//! `styles.xml`: the structure that paragraph styles imply.

use super::paragraph::Properties;
use crate::office::xml::{Node, Xml};
use std::collections::HashMap;

/// The paragraph styles and the styles that they are based on.
#[derive(Debug, Default)]
pub(super) struct Styles {
    paragraphs: HashMap<String, Style>,
    /// The default paragraph style.
    default: Option<String>,
    /// Character styles.
    characters: HashMap<String, CharacterStyle>,
}

#[derive(Debug, Default, Clone)]
struct CharacterStyle {
    based_on: Option<String>,
    hides: Option<bool>,
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
            if !element.is("w", "style") {
                continue;
            }
            let id = element.attribute("styleId").unwrap_or_default();
            match element.attribute("type").as_deref() {
                None | Some("paragraph") => {}
                Some("character") => {
                    let style = CharacterStyle::read(&mut xml);
                    if styles.characters.len() < MOST_STYLES {
                        styles.characters.insert(id, style);
                    }
                    continue;
                }
                // Styles of tables say nothing of paragraphs.
                Some(_) => continue,
            }
            if element.flag("default") == Some(true) {
                styles.default = Some(id.clone());
            }
            let mut style = Style::default();
            xml.children(|xml, child| match child.name() {
                "basedOn" => style.based_on = child.attribute("val"),
                "name" => style.name = child.attribute("val").unwrap_or_default(),
                "pPr" => {
                    let hides = style.properties.hides;
                    style.properties = Properties::read(xml);
                    style.properties.hides = hides;
                }
                "rPr" => style.properties.hides = hides(xml),
                _ => {}
            });
            if styles.paragraphs.len() < MOST_STYLES {
                styles.paragraphs.insert(id, style);
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
            let Some(style) = self.paragraphs.get(&id) else {
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

    /// Whether a character style hides text.
    pub(super) fn hides(&self, id: &str) -> bool {
        let mut next = self.characters.get(id);
        for _ in 0..LONGEST_CHAIN {
            let Some(style) = next else { break };
            if let Some(hides) = style.hides {
                return hides;
            }
            next = style.based_on.as_ref().and_then(|id| self.characters.get(id));
        }
        false
    }

    /// The list that a list style stands for.
    pub(super) fn list_of(&self, style: &str) -> Option<u32> {
        self.paragraphs.get(style)?.properties.list
    }
}

impl CharacterStyle {
    fn read(xml: &mut Xml<'_>) -> Self {
        let mut style = Self::default();
        xml.children(|xml, child| match child.name() {
            "basedOn" => style.based_on = child.attribute("val"),
            "rPr" => style.hides = hides(xml),
            _ => {}
        });
        style
    }
}

/// Whether an open `w:rPr` hides text; `None` if it does not say.
fn hides(xml: &mut Xml<'_>) -> Option<bool> {
    let mut hides = None;
    xml.children(|_, child| {
        if child.is("w", "vanish") {
            hides = Some(child.flag("val").unwrap_or(true));
        }
    });
    hides
}
