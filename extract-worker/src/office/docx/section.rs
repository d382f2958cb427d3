//! `w:sectPr`: a section's headers and footers, and whether it begins a page.

use crate::office::xml::Xml;

#[derive(Debug, Default, Clone)]
pub(super) struct Section {
    /// The headers and footers that it names; it keeps those of the section before otherwise.
    pub(super) margins: Vec<Margin>,
    /// Its first page has a header and a footer of its own.
    pub(super) has_first_page: bool,
    /// It goes on where the section before ended.
    pub(super) is_continuous: bool,
}

/// A header or a footer, by its relationship's id.
#[derive(Debug, Clone)]
pub(super) struct Margin {
    pub(super) is_header: bool,
    pub(super) pages: Pages,
    pub(super) id: String,
}

/// The pages of its section that a header or footer is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pages {
    First,
    Even,
    Others,
}

impl Section {
    /// Reads an open `w:sectPr` to its end.
    pub(super) fn read(xml: &mut Xml<'_>) -> Self {
        let mut found = Self::default();
        xml.children(|_, child| match child.name() {
            kind @ ("headerReference" | "footerReference") => {
                let pages = match child.attribute("type").as_deref() {
                    Some("first") => Pages::First,
                    Some("even") => Pages::Even,
                    _ => Pages::Others,
                };
                let id = child.foreign_attribute("id").unwrap_or_default();
                found.margins.push(Margin { is_header: kind == "headerReference", pages, id });
            }
            "titlePg" => found.has_first_page = child.flag("val").unwrap_or(true),
            "type" => {
                found.is_continuous =
                    child.attribute("val").is_some_and(|kind| kind == "continuous" || kind == "nextColumn");
            }
            _ => {}
        });
        found
    }
}
