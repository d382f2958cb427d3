//! Where the pages and sections of the body end, and which notes are referenced on them.
//!
//! Invariant: nothing inside a text box ends a page. Inside a table only the outermost rows do.

use super::Story;
use crate::office::docx::page_breaks::{PageBreaks, Reference, Source, Span, Stretch};
use crate::office::docx::section::Section;
use crate::office::xml::Element;
use dossier_extract::TextFormat;

impl Story<'_> {
    /// The stretches and sections of the body.
    pub(in crate::office::docx) fn finish_pages(self) -> (Vec<Stretch>, Vec<Span>) {
        self.breaks.unwrap_or_default().finish(self.markup)
    }

    pub(super) fn reference(&mut self, source: Source, element: &Element<'_>) {
        let Some(breaks) = &mut self.breaks else { return };
        let has_own_mark = element.flag("customMarkFollows") == Some(true);
        let id = element.attribute("id").unwrap_or_default();
        let mark = if has_own_mark { None } else { breaks.mark(source) };
        if let Some(mark) = &mark {
            let mark = if self.document.format == TextFormat::Markdown {
                format!("[^{mark}]")
            } else {
                format!("[{mark}]")
            };
            self.markup.text(&mark);
        }
        breaks.refer(Reference { source, id, mark });
    }

    pub(super) fn turn_page(&mut self) {
        if !self.boxes.is_empty() || self.fields.is_code() {
            return;
        }
        if self.breaks.is_none() {
            return;
        }
        // If a paragraph continues on the next page, its marker is on this one.
        if self.tables == 0 && self.markup.has_open_line() {
            let properties = self.take_properties();
            let block = self.block(&properties);
            self.markup.end_paragraph(&block);
            let rest = properties.rest();
            if let Some(open) = self.properties.last_mut() {
                *open = Some(rest);
            }
        }
        if let Some(breaks) = &mut self.breaks {
            breaks.turn(&mut self.markup, self.tables > 0);
        }
    }

    pub(super) fn end_section(&mut self, section: Section) {
        if let Some(breaks) = self.breaks.as_mut().filter(|_| self.tables == 0 && self.boxes.is_empty()) {
            breaks.end_section(section, &mut self.markup);
        }
    }

    /// Reports a change in the outermost table to the page breaks.
    pub(super) fn in_outer_table(&mut self, change: impl FnOnce(&mut PageBreaks)) {
        if let Some(breaks) = self.breaks.as_mut().filter(|_| self.tables == 1 && self.boxes.is_empty()) {
            change(breaks);
        }
    }
}
