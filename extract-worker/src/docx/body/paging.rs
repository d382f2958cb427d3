//! Where the body's pages and sections end, and what is called on them.
//!
//! Invariant: nothing within a text box ends a page; within a table only its outermost rows do.

use super::Story;
use crate::docx::section::Section;
use crate::docx::sheets::{Reference, Sheet, Sheets, Source, Span};
use crate::xml::Element;
use dossier_extract::TextFormat;

impl Story<'_> {
    /// The sheets and sections of the body.
    pub(in crate::docx) fn end_sheets(self) -> (Vec<Sheet>, Vec<Span>) {
        self.sheets.unwrap_or_default().finish(self.prose)
    }

    pub(super) fn reference(&mut self, source: Source, element: &Element<'_>) {
        let Some(sheets) = &mut self.sheets else { return };
        let has_own_mark = element.flag("customMarkFollows") == Some(true);
        let id = element.attribute("id").unwrap_or_default();
        let mark = if has_own_mark { None } else { sheets.mark(source) };
        if let Some(mark) = &mark {
            let mark = if self.document.format == TextFormat::Markdown {
                format!("[^{mark}]")
            } else {
                format!("[{mark}]")
            };
            self.prose.text(&mark);
        }
        sheets.refer(Reference { source, id, mark });
    }

    pub(super) fn turn_page(&mut self) {
        if !self.boxes.is_empty() || self.fields.is_code() {
            return;
        }
        if self.sheets.is_none() {
            return;
        }
        // A paragraph that goes on on the next page has its marker on this one.
        if self.tables == 0 && self.prose.has_open_line() {
            let properties = self.take_properties();
            let block = self.block(&properties);
            self.prose.end_paragraph(&block);
            let rest = properties.rest();
            if let Some(open) = self.properties.last_mut() {
                *open = Some(rest);
            }
        }
        if let Some(sheets) = &mut self.sheets {
            sheets.turn(&mut self.prose, self.tables > 0);
        }
    }

    pub(super) fn end_section(&mut self, section: Section) {
        if let Some(sheets) = self.sheets.as_mut().filter(|_| self.tables == 0 && self.boxes.is_empty()) {
            sheets.end_section(section, &mut self.prose);
        }
    }

    /// Tells the sheets of a change in the outermost table.
    pub(super) fn in_sheets(&mut self, change: impl FnOnce(&mut Sheets)) {
        if let Some(sheets) = self.sheets.as_mut().filter(|_| self.tables == 1 && self.boxes.is_empty()) {
            change(sheets);
        }
    }
}
