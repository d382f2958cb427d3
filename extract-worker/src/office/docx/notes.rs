//! Footnotes, endnotes and comments: said at the end of the page that calls them.

use super::body::{Document, Story};
use super::relationships::Relationships;
use crate::office::xml::{Node, Xml};
use dossier_extract::TextFormat;
use std::collections::HashMap;

/// The notes of one part, each to be said once.
#[derive(Debug, Default)]
pub(super) struct Notes {
    notes: Vec<Note>,
    by_id: HashMap<String, usize>,
}

#[derive(Debug)]
struct Note {
    /// Of a comment.
    author: Option<String>,
    /// Its paragraphs, until they have been said.
    text: Option<String>,
}

impl Notes {
    pub(super) fn read(xml: &str, document: &mut Document, relationships: &Relationships) -> Self {
        let mut notes = Self::default();
        let mut xml = Xml::new(xml);
        while let Some(node) = xml.next() {
            let Node::Start(element) = node else { continue };
            if element.space != "w" || !matches!(element.name(), "footnote" | "endnote" | "comment") {
                continue;
            }
            let id = element.attribute("id").unwrap_or_default();
            // The lines that separate notes from the text are kept among them.
            let is_line = element.attribute("type").is_some_and(|kind| kind != "normal");
            let mut story = Story::new(document, relationships, None);
            story.read(&mut xml);
            let text = story.markup.finish();
            if is_line || text.trim().is_empty() {
                continue;
            }
            notes.by_id.insert(id, notes.notes.len());
            let author = element.attribute("author").filter(|author| !author.trim().is_empty());
            notes.notes.push(Note { author, text: Some(text) });
        }
        notes
    }

    /// What is said of a note, the first time it is called.
    pub(super) fn say(&mut self, id: &str, mark: Option<&str>, format: TextFormat) -> Option<String> {
        let index = *self.by_id.get(id)?;
        self.notes.get_mut(index)?.say(mark, format)
    }

    /// The notes that nothing calls.
    pub(super) fn rest(&mut self, format: TextFormat) -> impl Iterator<Item = String> {
        self.notes.iter_mut().filter_map(move |note| note.say(None, format))
    }
}

impl Note {
    fn say(&mut self, mark: Option<&str>, format: TextFormat) -> Option<String> {
        let text = self.text.take()?;
        let text = text.trim();
        Some(match (mark, &self.author, format) {
            // Paragraphs of a note in Markdown are indented.
            (Some(mark), _, TextFormat::Markdown) => format!("[^{mark}]: {}\n", text.replace('\n', "\n    ")),
            (Some(mark), _, TextFormat::Text) => format!("[{mark}] {text}\n"),
            // Plain text has the document's own words alone.
            (None, Some(author), TextFormat::Markdown) => format!("[{author}: {text}]\n"),
            (None, Some(_), TextFormat::Text) => format!("[{text}]\n"),
            (None, None, _) => format!("{text}\n"),
        })
    }
}
