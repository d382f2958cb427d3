//! Where pages and sections end in a document's body.
//!
//! A page ends where the document says so: at an explicit break, at the end of a section, or at the mark
//! that Word leaves where a page ended when it last laid the document out. Those of a table's row are
//! counted at its end, since each of its cells has marks of its own.

use super::section::Section;
use crate::output::markup::Markup;
use crate::output::numerals::Numeral;

/// The stretches so far, and what is open.
#[derive(Debug, Default)]
pub(super) struct PageBreaks {
    done: Vec<Stretch>,
    sections: Vec<Span>,
    /// Of the open stretch.
    references: Vec<Reference>,
    /// The first stretch of the open section, and whether nothing but the section before ended there.
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
    /// It is on the page of the stretch before.
    pub(super) goes_on: bool,
}

/// A section, and the stretches that it is on.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) section: Section,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// Where something is called that is said at the end of the page.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) source: Source,
    pub(super) id: String,
    /// What stands in the text, unless it is a mark of the author's own.
    pub(super) mark: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Footnote,
    Endnote,
    Comment,
}

/// How notes are counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counter {
    pub(super) numeral: Numeral,
    pub(super) next: u32,
}

/// Page ends in the open row of the outermost table.
#[derive(Debug, Default)]
struct Row {
    has_text: bool,
    cell_has_text: bool,
    cell_turns: usize,
    /// The most that any of its cells has.
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

    /// A page ends here. In a table: before the row, if nothing of it has been said, or after it.
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

    /// Text of the outermost table's open row.
    pub(super) fn note_text(&mut self) {
        self.row.has_text = true;
        self.row.cell_has_text = true;
    }

    /// A section ends here, and with it a page, unless the next section goes on.
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

    /// All stretches and sections, at the end of the document.
    pub(super) fn finish(mut self, markup: Markup) -> (Vec<Stretch>, Vec<Span>) {
        let text = markup.finish();
        if self.done.is_empty() || !text.trim().is_empty() || !self.references.is_empty() {
            self.done.push(Stretch { text, references: self.references, goes_on: false });
        }
        (self.done, self.sections)
    }

    /// Ends the stretch. A stretch without text is the mark of one page's end said twice.
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
