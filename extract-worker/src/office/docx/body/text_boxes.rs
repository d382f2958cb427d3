//! Text beside the body text: text boxes, drawings, charts, and descriptions of pictures.

use super::{Kind, Story};
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

    /// Writes the text of a chart or diagram.
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
