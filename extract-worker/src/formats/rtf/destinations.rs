//! RTF destinations: body, headers, notes and others, each with its own paragraphs and tables.

use super::state::{Destination, Paragraph};
use crate::output::markup::{Block, Heading, Markup};
use dossier_extract::TextFormat;
use std::collections::HashSet;

/// All destinations of a document.
pub(super) struct Destinations {
    texts: [Markup; Destination::ALL.len()],
    /// Finished pages of the body, each followed by a form feed.
    ended: String,
    /// Where the pages after those form feeds begin.
    starts: Vec<usize>,
    /// Headers and footers. Sections repeat them, but each is written once.
    headers: String,
    footers: String,
    said: HashSet<String>,
    /// How many note references and how many notes have been read.
    calls: usize,
    notes: usize,
    /// A table row has begun, whether or not its paragraphs say so.
    in_row: bool,
    /// The marker of the current list item.
    pub(super) marker: Option<String>,
}

impl Destinations {
    pub(super) fn new(format: TextFormat) -> Self {
        Self {
            texts: Destination::ALL.map(|_| Markup::new(format)),
            ended: String::new(),
            starts: Vec::new(),
            headers: String::new(),
            footers: String::new(),
            said: HashSet::new(),
            calls: 0,
            notes: 0,
            in_row: false,
            marker: None,
        }
    }

    fn of(&mut self, destination: Destination) -> &mut Markup {
        &mut self.texts[destination as usize]
    }

    /// Whether the open paragraph has text.
    pub(super) fn has_open_line(&mut self, destination: Destination) -> bool {
        self.of(destination).has_open_line()
    }

    pub(super) fn say(&mut self, destination: Destination, paragraph: Paragraph, text: &str) {
        self.sync_table(destination, paragraph);
        self.of(destination).text(text);
    }

    /// Starts or ends a table, depending on whether the paragraph declares that it is in one.
    fn sync_table(&mut self, destination: Destination, paragraph: Paragraph) {
        let in_table = paragraph.in_table || self.in_row;
        let markup = self.of(destination);
        match (in_table, markup.in_table()) {
            (true, false) => markup.start_table(),
            (false, true) => markup.end_table(),
            _ => {}
        }
    }

    /// Handles control words that affect structure.
    pub(super) fn structure(&mut self, destination: Destination, paragraph: Paragraph, word: &str) {
        match word {
            "par" | "sect" | "column" => self.end_paragraph(destination, paragraph),
            "line" | "lbr" | "softline" => self.of(destination).line_break(),
            "page" if destination == Destination::Body => self.end_page(),
            "trowd" => self.in_row = true,
            "cell" if self.of(destination).in_table() => self.of(destination).end_cell(),
            // A cell outside any table.
            "cell" => self.of(destination).text("\t"),
            "nestcell" | "nestrow" => self.of(destination).blank(),
            "row" => {
                self.in_row = false;
                self.of(destination).end_row();
            }
            "chftn" => self.note_mark(destination),
            _ => {}
        }
    }

    fn end_paragraph(&mut self, destination: Destination, paragraph: Paragraph) {
        self.sync_table(destination, paragraph);
        let block = match (self.marker.take(), paragraph.heading) {
            (_, heading @ 1..) => Block::Heading(heading),
            (Some(marker), 0) => Block::Item { depth: paragraph.level, marker },
            (None, 0) => Block::Plain,
        };
        self.of(destination).end_paragraph(&block);
        if destination == Destination::Body {
            self.place_shapes();
        }
    }

    /// Places a text box after the paragraph to which it is anchored.
    fn place_shapes(&mut self) {
        if self.of(Destination::Shape).is_blank() || self.of(Destination::Body).in_table() {
            return;
        }
        let shapes = self.of(Destination::Shape).take_page();
        self.of(Destination::Body).append(&shapes);
    }

    /// Ends a page, except inside a table, where it would split rows.
    fn end_page(&mut self) {
        self.place_shapes();
        if !self.of(Destination::Body).in_table() {
            let page = self.of(Destination::Body).take_page();
            self.ended.push_str(&page);
            self.ended.push('\x0c');
            self.starts.push(self.ended.len());
        }
    }

    /// Writes the number of a note: at its reference in the text, and before the note itself.
    fn note_mark(&mut self, destination: Destination) {
        let count = if destination == Destination::Note { &mut self.notes } else { &mut self.calls };
        *count += 1;
        let note = *count;
        let markup = self.of(destination);
        markup.text(&match (markup.format(), destination) {
            (TextFormat::Text, _) => format!("[{note}]"),
            (TextFormat::Markdown, Destination::Note) => format!("[^{note}]:"),
            (TextFormat::Markdown, _) => format!("[^{note}]"),
        });
        if destination == Destination::Note {
            markup.blank();
        }
    }

    /// The group of a destination has ended.
    pub(super) fn end(&mut self, destination: Destination) {
        let markup = self.of(destination);
        if matches!(destination, Destination::Header | Destination::Footer) {
            let text = markup.take_page();
            if !text.trim().is_empty() && self.said.insert(text.clone()) {
                let all =
                    if destination == Destination::Header { &mut self.headers } else { &mut self.footers };
                all.push_str(&text);
            }
        } else if markup.has_open_line() {
            markup.end_paragraph(&Block::Plain);
        }
    }

    /// The whole text in reading order, and the body's headings with their positions in it.
    pub(super) fn finish(mut self) -> (String, Vec<Heading>) {
        self.place_shapes();
        let mut headings = self.of(Destination::Body).take_headings();
        for Heading { entry, at } in &mut headings {
            let before = entry.page.unwrap_or_default().checked_sub(2);
            let start = before.and_then(|page| self.starts.get(page as usize)).copied().unwrap_or_default();
            *at += self.headers.len() + start;
        }
        let [_, body, shapes, notes, comments, _] = self.texts;
        let rest = [body, shapes, notes, comments].into_iter().filter(|text| !text.is_blank());
        let rest: String = rest.map(Markup::finish).collect();
        ([self.headers, self.ended, rest, self.footers].concat(), headings)
    }
}
