//! Where pages and sections end in the body of a document.
//!
//! A page ends at an explicit break, at the end of a section, or at the mark that Word leaves where a page
//! ended in its last layout. In a table, marks are applied at the end of the row, because each cell of a row
//! has its own marks.

use super::section::Section;
use crate::output::markup::Markup;
use crate::output::numerals::Numeral;

/// The stretches so far, and the open state.
#[derive(Debug, Default)]
pub(super) struct PageBreaks {
    done: Vec<Stretch>,
    sections: Vec<Span>,
    /// The note references of the open stretch.
    references: Vec<Reference>,
    /// The first stretch of the open section, and whether only the end of the previous section started it.
    section_start: usize,
    is_section_cut: bool,
    row: Row,
    footnotes: Counter,
    endnotes: Counter,
}

/// Text between two places where a page may end.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    pub(super) text: String,
    pub(super) references: Vec<Reference>,
    /// It is on the same page as the previous stretch.
    pub(super) goes_on: bool,
}

/// A section and its range of stretches.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) section: Section,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// A reference to a note that is written at the end of the page.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) source: Source,
    pub(super) id: String,
    /// The mark in the text, unless the author set a custom one.
    pub(super) mark: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Footnote,
    Endnote,
    Comment,
}

/// The numbering of notes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counter {
    pub(super) numeral: Numeral,
    pub(super) next: u32,
}

/// Page breaks in the open row of the outermost table.
#[derive(Debug, Default)]
struct Row {
    has_text: bool,
    cell_has_text: bool,
    cell_turns: usize,
    /// The largest number of page breaks in any of its cells.
    turns: usize,
}

impl PageBreaks {
    pub(super) fn new(footnotes: Counter, endnotes: Counter) -> Self {
        Self { footnotes, endnotes, ..Self::default() }
    }

    /// The mark of the next note.
    pub(super) fn mark(&mut self, source: Source) -> Option<String> {
        let counter = match source {
            Source::Footnote => &mut self.footnotes,
            Source::Endnote => &mut self.endnotes,
            Source::Comment => return None,
        };
        let number = counter.next;
        counter.next = number.saturating_add(1);
        Some(counter.numeral.write(number))
    }

    pub(super) fn refer(&mut self, reference: Reference) {
        self.references.push(reference);
    }

    /// Ends a page. In a table: before the row if it has no text yet, otherwise after it.
    pub(super) fn turn(&mut self, markup: &mut Markup, in_table: bool) {
        if !in_table {
            self.cut(markup);
        } else if self.row.cell_has_text {
            self.row.cell_turns += 1;
        } else if !self.row.has_text {
            self.cut(markup);
        }
    }

    pub(super) fn start_row(&mut self) {
        self.row = Row::default();
    }

    pub(super) fn end_cell(&mut self) {
        let turns = std::mem::take(&mut self.row.cell_turns);
        self.row.turns = self.row.turns.max(turns);
        self.row.cell_has_text = false;
    }

    pub(super) fn end_row(&mut self, markup: &mut Markup) {
        if std::mem::take(&mut self.row).turns > 0 {
            self.cut(markup);
        }
    }

    /// Records that the open row of the outermost table has text.
    pub(super) fn note_text(&mut self) {
        self.row.has_text = true;
        self.row.cell_has_text = true;
    }

    /// Ends a section, and with it a page unless the next section is continuous.
    pub(super) fn end_section(&mut self, section: Section, markup: &mut Markup) {
        let was_cut = self.cut(markup);
        let (first, last) = (self.section_start, self.done.len().saturating_sub(1));
        if section.is_continuous
            && self.is_section_cut
            && let Some(stretch) = self.done.get_mut(first)
        {
            stretch.goes_on = true;
        }
        self.sections.push(Span { section, first: first.min(last), last });
        self.section_start = self.done.len();
        self.is_section_cut = was_cut;
    }

    /// Returns all stretches and sections at the end of the document.
    pub(super) fn finish(mut self, markup: Markup) -> (Vec<Stretch>, Vec<Span>) {
        let text = markup.finish();
        if self.done.is_empty() || !text.trim().is_empty() || !self.references.is_empty() {
            self.done.push(Stretch { text, references: self.references, goes_on: false });
        }
        (self.done, self.sections)
    }

    /// Ends the stretch. A stretch without text means that the same page break was marked twice.
    fn cut(&mut self, markup: &mut Markup) -> bool {
        if markup.is_blank() {
            self.is_section_cut &= self.done.len() != self.section_start;
            return false;
        }
        let text = markup.take_page();
        let references = std::mem::take(&mut self.references);
        self.done.push(Stretch { text, references, goes_on: false });
        true
    }
}
