//! Footnotes, endnotes and comments, written at the end of the page that references them.

use super::body::{Document, Story};
use super::relationships::Relationships;
use crate::office::xml::{Node, Xml};
use dossier_extract::TextFormat;
use std::collections::HashMap;

/// The notes of one part; each is written once.
#[derive(Debug, Default)]
pub(super) struct Notes {
    notes: Vec<Note>,
    by_id: HashMap<String, usize>,
}

#[derive(Debug)]
struct Note {
    /// The author of a comment.
    author: Option<String>,
    /// Its paragraphs, until they have been written.
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
            // The separator lines between text and notes are stored as notes as well.
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

    /// The text of a note, the first time it is referenced.
    pub(super) fn say(&mut self, id: &str, mark: Option<&str>, format: TextFormat) -> Option<String> {
        let index = *self.by_id.get(id)?;
        self.notes.get_mut(index)?.say(mark, format)
    }

    /// The notes that are never referenced.
    pub(super) fn rest(&mut self, format: TextFormat) -> impl Iterator<Item = String> {
        self.notes.iter_mut().filter_map(move |note| note.say(None, format))
    }
}

impl Note {
    fn say(&mut self, mark: Option<&str>, format: TextFormat) -> Option<String> {
        let text = self.text.take()?;
        let text = text.trim();
        Some(match (mark, &self.author, format) {
            // In Markdown the paragraphs of a note are indented.
            (Some(mark), _, TextFormat::Markdown) => format!("[^{mark}]: {}\n", text.replace('\n', "\n    ")),
            (Some(mark), _, TextFormat::Text) => format!("[{mark}] {text}\n"),
            // Plain text contains only the document's own words.
            (None, Some(author), TextFormat::Markdown) => format!("[{author}: {text}]\n"),
            (None, Some(_), TextFormat::Text) => format!("[{text}]\n"),
            (None, None, _) => format!("{text}\n"),
        })
    }
}
