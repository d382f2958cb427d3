//! `w:pPr`: the properties that make a paragraph a heading, a list item or the end of a section.

use super::section::Section;
use crate::office::xml::Xml;
use crate::output::markup::Block;

/// The properties of a paragraph or a paragraph style.
#[derive(Debug, Default, Clone)]
pub(super) struct Properties {
    pub(super) style: Option<String>,
    /// `w:numId`; 0 removes a paragraph from the list of its style.
    pub(super) list: Option<u32>,
    /// `w:ilvl`.
    pub(super) level: Option<u8>,
    /// The style that `list` comes from; it may define the level.
    pub(super) list_style: Option<String>,
    /// Outline level from 0; 9 is body text.
    outline: Option<u8>,
    named: Option<Named>,
    pub(super) starts_page: Option<bool>,
    /// The paragraph mark is deleted, so the paragraph continues in the next one.
    pub(super) goes_on: bool,
    /// Whether its text is hidden, according to its style.
    pub(super) hides: Option<bool>,
    /// The section that ends with this paragraph.
    pub(super) section: Option<Section>,
}

/// The kind of paragraph that a style name denotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Heading(u8),
    Code,
}

/// The number of outline levels that are headings.
const OUTLINE_LEVELS: u8 = 9;

impl Properties {
    /// Reads an open `w:pPr` to its end.
    pub(super) fn read(xml: &mut Xml<'_>) -> Self {
        let mut found = Self::default();
        xml.children(|xml, child| {
            if child.space != "w" {
                return;
            }
            match child.name() {
                "pStyle" => found.style = child.attribute("val"),
                "outlineLvl" => found.outline = child.number("val"),
                "pageBreakBefore" => found.starts_page = Some(child.flag("val").unwrap_or(true)),
                "sectPr" => found.section = Some(Section::read(xml)),
                "numPr" => xml.children(|_, child| match child.name() {
                    "numId" => found.list = child.number("val"),
                    "ilvl" => found.level = child.number("val"),
                    _ => {}
                }),
                "rPr" => xml.children(|_, child| {
                    found.goes_on |= child.is("w", "del") || child.is("w", "moveFrom");
                }),
                _ => {}
            }
        });
        found
    }

    /// Fills in missing properties from a style.
    pub(super) fn inherit(&mut self, style: &Self, id: &str) {
        if self.list.is_none() && style.list.is_some() {
            self.list = style.list;
            self.list_style = Some(id.to_owned());
        }
        self.level = self.level.or(style.level);
        self.outline = self.outline.or(style.outline);
        self.starts_page = self.starts_page.or(style.starts_page);
        self.hides = self.hides.or(style.hides);
    }

    /// Word keeps the names of built-in styles in English, whatever its interface language.
    pub(super) fn inherit_name(&mut self, name: &str) {
        if self.named.is_none() {
            self.named = named(name);
        }
    }

    /// The properties that still apply to the rest of a paragraph after a page break.
    pub(super) fn rest(self) -> Self {
        Self { goes_on: self.goes_on, section: self.section, ..Self::default() }
    }

    /// The kind of block, apart from lists.
    pub(super) fn block(&self) -> Block {
        match (self.outline, self.named) {
            (Some(level), _) if level < OUTLINE_LEVELS => Block::Heading(level + 1),
            (Some(_), Some(Named::Heading(_))) | (_, None) => Block::Plain,
            (_, Some(Named::Heading(level))) => Block::Heading(level),
            (_, Some(Named::Code)) => Block::Preformatted,
        }
    }
}

fn named(name: &str) -> Option<Named> {
    let name: String = name.chars().filter(|c| *c != ' ').take(30).collect::<String>().to_ascii_lowercase();
    match name.as_str() {
        "title" => Some(Named::Heading(1)),
        "sourcecode" | "htmlpreformatted" | "preformattedtext" => Some(Named::Code),
        _ => match name.strip_prefix("heading")?.parse() {
            Ok(level @ 1..=OUTLINE_LEVELS) => Some(Named::Heading(level)),
            _ => None,
        },
    }
}
