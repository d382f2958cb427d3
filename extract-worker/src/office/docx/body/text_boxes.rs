//! Text beside the body text: text boxes, drawings, charts, and descriptions of pictures.

use super::{Kind, PageBreaks, Story};
use crate::office::xml::Element;

impl Story<'_> {
    pub(super) fn start_drawing(&mut self, element: &Element<'_>) -> Kind {
        match element.name() {
            "txBody" => {
                self.start_box();
                Kind::Box
            }
            "p" => {
                self.properties.push(None);
                Kind::Paragraph
            }
            "t" => Kind::Text,
            "br" => {
                self.text("\n");
                Kind::Nothing
            }
            _ => Kind::Nothing,
        }
    }

    pub(super) fn start_box(&mut self) {
        self.markup.start_aside();
        self.boxes.push(std::mem::take(&mut self.tables));
    }

    /// Writes text that stands beside the body text.
    pub(super) fn aside(&mut self, words: &str) {
        if !words.trim().is_empty() {
            self.markup.start_aside();
            self.markup.text(words);
            self.markup.end_aside();
        }
    }

    /// Writes an embedded document, once even if it is referred to several times.
    pub(super) fn chunk(&mut self, element: &Element<'_>) {
        let id = element.foreign_attribute("id").unwrap_or_default();
        let Some(text) = self.relationships.chunk(&id) else { return };
        if !self.chunks.insert(id) {
            return;
        }
        let stands_apart = self.markup.in_table();
        if stands_apart {
            self.markup.start_aside();
        }
        self.markup.append(text);
        if stands_apart {
            self.markup.end_aside();
        }
        self.in_outer_table(PageBreaks::note_text);
    }

    /// A chart's or a diagram's words.
    pub(super) fn figure(&mut self, id: Option<String>) {
        if let Some(words) = id.and_then(|id| self.relationships.figure(&id)) {
            self.aside(words);
        }
    }

    /// Writes the author's description of a picture, unless it is just a file name.
    pub(super) fn picture(&mut self, element: &Element<'_>) {
        const FILES: [&str; 8] = [".png", ".jpg", ".jpeg", ".gif", ".bmp", ".emf", ".wmf", ".tif"];
        let words = element.attribute("descr").unwrap_or_default();
        let words = words.trim();
        let ends = words.to_ascii_lowercase();
        if !words.is_empty() && !FILES.iter().any(|file| ends.ends_with(file)) {
            self.text(&format!("[{words}]"));
        }
    }
}
