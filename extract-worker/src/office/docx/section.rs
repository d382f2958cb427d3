//! `w:sectPr`: the headers and footers of a section, and whether it starts a page.

use crate::office::xml::Xml;

#[derive(Debug, Default, Clone)]
pub(super) struct Section {
    /// The headers and footers that it names; otherwise it keeps those of the previous section.
    pub(super) margins: Vec<Margin>,
    /// Its first page has a separate header and footer.
    pub(super) has_first_page: bool,
    /// It continues on the page where the previous section ended.
    pub(super) is_continuous: bool,
}

/// A header or footer, by relationship id.
#[derive(Debug, Clone)]
pub(super) struct Margin {
    pub(super) is_header: bool,
    pub(super) pages: Pages,
    pub(super) id: String,
}

/// The pages of the section that show a header or footer.
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
