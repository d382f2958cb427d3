//! Structured text. The readers of office files, web pages and email write into it.
//!
//! A reader reports characters, ends of paragraphs, tables and so on, in order. This module turns them into
//! plain text or Markdown.
//!
//! Invariant: independent of file formats; readers are independent of the output format.
//! Invariant: work and memory are linear in the size of the text, however it is nested.

mod blocks;

use blocks::Blocks;
use dossier_extract::{OutlineEntry, TextFormat};

/// The kind of a paragraph.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Block {
    /// An ordinary paragraph.
    #[default]
    Plain,
    /// A heading; level 1 is the outermost.
    Heading(u8),
    /// A list item.
    Item {
        /// Nesting depth; 0 is the outermost.
        depth: u8,
        /// The visible marker: `•`, `1.`, `(b)`.
        marker: String,
    },
    /// Preformatted lines.
    Preformatted,
}

/// A heading and its position.
#[derive(Debug)]
pub(crate) struct Heading {
    pub(crate) entry: OutlineEntry,
    /// Its start in the page in bytes, or the start of the space or table that contains it.
    pub(crate) at: usize,
}

/// Structured text being written.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    format: TextFormat,
    blocks: Blocks,
    /// The text around the open asides, outermost first.
    around: Vec<Blocks>,
    /// Number of open asides beyond the nesting limit.
    shallow_asides: usize,
    /// Number of pages taken so far.
    pages: u32,
    headings: Vec<Heading>,
}

/// Nested tables and asides keep their structure down to this depth; deeper ones become plain text of their
/// surroundings. Each level copies its content once.
const DEEPEST: usize = 8;
/// Maximum number of headings in the outline.
const MOST_HEADINGS: usize = 10_000;
/// Maximum length of a title in the outline, in characters.
const LONGEST_TITLE: usize = 300;

impl Markup {
    pub(crate) fn new(format: TextFormat) -> Self {
        Self { format, ..Self::default() }
    }

    /// The output format.
    pub(crate) fn format(&self) -> TextFormat {
        self.format
    }

    /// Whether a table is open.
    pub(crate) fn in_table(&self) -> bool {
        self.blocks.in_table()
    }

    /// Appends to the open paragraph.
    pub(crate) fn text(&mut self, text: &str) {
        self.blocks.text(text);
    }

    /// Inserts text at the start of the open paragraph.
    pub(crate) fn text_before(&mut self, text: &str) {
        self.blocks.text_before(text);
    }

    /// Adds a line break within the paragraph.
    pub(crate) fn line_break(&mut self) {
        self.blocks.text("\n");
    }

    /// Adds a blank unless there is one already.
    pub(crate) fn blank(&mut self) {
        self.blocks.blank();
    }

    /// Starts a link to `url`. A nested link becomes part of the outer one.
    pub(crate) fn start_link(&mut self, url: &str) {
        if self.format == TextFormat::Markdown {
            self.blocks.start_link(url);
        }
    }

    pub(crate) fn end_link(&mut self) {
        self.blocks.end_link();
    }

    /// Ends the open paragraph. An empty one becomes an empty line in plain text; in Markdown and in tables
    /// it is dropped.
    pub(crate) fn end_paragraph(&mut self, block: &Block) {
        if let (Block::Heading(level), true) = (block, self.around.is_empty()) {
            self.note_heading(*level);
        }
        self.blocks.end_paragraph(block, self.format);
    }

    pub(crate) fn start_table(&mut self) {
        self.blocks.start_table(self.format);
    }

    pub(crate) fn end_cell(&mut self) {
        self.blocks.end_cell(self.format);
    }

    pub(crate) fn end_row(&mut self) {
        self.blocks.end_row(self.format);
    }

    pub(crate) fn end_table(&mut self) {
        self.blocks.end_table(self.format);
    }

    /// Starts text that stands beside the surrounding text, such as a text box. It is written after the
    /// paragraph or table that contains it.
    pub(crate) fn start_aside(&mut self) {
        if self.around.len() < DEEPEST {
            self.around.push(std::mem::take(&mut self.blocks));
        } else {
            self.shallow_asides += 1;
            self.blank();
        }
    }

    pub(crate) fn end_aside(&mut self) {
        if self.shallow_asides > 0 {
            self.shallow_asides -= 1;
            return self.blank();
        }
        let Some(around) = self.around.pop() else { return };
        let aside = std::mem::replace(&mut self.blocks, around).close(self.format);
        self.blocks.push_aside(&aside, self.format);
    }

    /// Whether the open paragraph has text.
    pub(crate) fn has_open_line(&self) -> bool {
        !self.blocks.open_words().is_empty()
    }

    /// Appends complete blocks in the same format. Returns their start in the page, in bytes.
    pub(crate) fn append(&mut self, finished: &str) -> usize {
        self.blocks.append(finished, self.format)
    }

    /// Whether nothing has been written since the last page was taken.
    pub(crate) fn is_blank(&self) -> bool {
        self.around.iter().chain([&self.blocks]).all(Blocks::is_blank)
    }

    /// Takes the page so far. Of an open table it takes the finished rows; the open row, and text around an
    /// open aside, stay for the next page.
    pub(crate) fn take_page(&mut self) -> String {
        self.pages += 1;
        self.blocks.take_page(self.format)
    }

    /// Takes the complete blocks so far, which are still of the same page.
    pub(crate) fn take_blocks(&mut self) -> String {
        self.blocks.take_page(self.format)
    }

    /// Closes everything and returns the rest.
    pub(crate) fn finish(mut self) -> String {
        self.shallow_asides = 0;
        while !self.around.is_empty() {
            self.end_aside();
        }
        self.blocks.close(self.format)
    }

    /// Takes the headings so far, each with its page.
    pub(crate) fn take_outline(&mut self) -> Vec<OutlineEntry> {
        self.take_headings().into_iter().map(|heading| heading.entry).collect()
    }

    /// Takes the headings so far, for a text whose pages are not known yet.
    pub(crate) fn take_headings(&mut self) -> Vec<Heading> {
        std::mem::take(&mut self.headings)
    }

    fn note_heading(&mut self, level: u8) {
        let title: String = self.blocks.open_words().chars().take(LONGEST_TITLE).collect();
        if !title.is_empty() && self.headings.len() < MOST_HEADINGS {
            let title = title.replace(['\n', '\t'], " ");
            let entry = OutlineEntry { level, title, page: Some(self.pages + 1) };
            self.headings.push(Heading { entry, at: self.blocks.written() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(format: TextFormat) -> String {
        let mut markup = Markup::new(format);
        markup.text("Report");
        markup.end_paragraph(&Block::Heading(1));
        markup.text("First");
        markup.end_paragraph(&Block::Item { depth: 0, marker: "1.".to_owned() });
        markup.text("Second");
        markup.end_paragraph(&Block::Item { depth: 0, marker: "2.".to_owned() });
        markup.start_table();
        for row in [["Name", "Sum"], ["a|b", "1"]] {
            for cell in row {
                markup.text(cell);
                markup.end_cell();
            }
            markup.end_row();
        }
        markup.end_table();
        markup.finish()
    }

    #[test]
    fn plain_text_lines_tables_up() {
        assert_eq!(sample(TextFormat::Text), "Report\n1. First\n2. Second\nName  Sum\na|b   1\n");
    }

    #[test]
    fn markdown_keeps_structure() {
        let expected = "# Report\n\n1. First\n2. Second\n\n| Name | Sum |\n| --- | --- |\n| a\\|b | 1 |\n";
        assert_eq!(sample(TextFormat::Markdown), expected);
    }

    #[test]
    fn tables_within_a_cell_are_its_words() {
        let mut markup = Markup::new(TextFormat::Text);
        markup.start_table();
        markup.text("outer");
        markup.start_table();
        markup.text("inner");
        markup.end_cell();
        markup.end_row();
        markup.end_table();
        markup.end_cell();
        assert_eq!(markup.finish(), "outer\ninner\n");
    }

    #[test]
    fn a_row_with_paragraphs_and_a_table_in_it_is_a_line() {
        for (format, expected) in [
            (TextFormat::Text, "one two  a b c d\n"),
            (TextFormat::Markdown, "| one<br>two | a  b<br>c  d |\n| --- | --- |\n"),
        ] {
            let mut markup = Markup::new(format);
            markup.start_table();
            for word in ["one", "two"] {
                markup.text(word);
                markup.end_paragraph(&Block::Plain);
            }
            markup.end_cell();
            markup.start_table();
            for row in [["a", "b"], ["c", "d"]] {
                for cell in row {
                    markup.text(cell);
                    markup.end_paragraph(&Block::Plain);
                    markup.end_cell();
                }
                markup.end_row();
            }
            markup.end_table();
            markup.end_cell();
            markup.end_row();
            markup.end_table();
            assert_eq!(markup.finish(), expected);
        }
    }

    #[test]
    fn asides_come_after_the_paragraph_or_table_they_are_in() {
        let mut markup = Markup::new(TextFormat::Markdown);
        markup.text("before ");
        markup.start_aside();
        markup.text("in a box");
        markup.end_paragraph(&Block::Plain);
        markup.end_aside();
        markup.text("and after");
        markup.end_paragraph(&Block::Plain);
        markup.start_table();
        markup.start_aside();
        markup.text("box of a cell");
        markup.end_aside();
        markup.text("cell");
        markup.end_cell();
        markup.text("other");
        markup.end_table();
        assert_eq!(
            markup.finish(),
            "before and after\n\nin a box\n\n| cell | other |\n| --- | --- |\n\nbox of a cell\n"
        );
    }

    #[test]
    fn markdown_nests_lists_below_the_words_of_their_item() {
        let mut markup = Markup::new(TextFormat::Markdown);
        for (depth, marker, text) in [
            (0, "9.", "nine"),
            (1, "•", "dot"),
            (2, "a)", "letter"),
            (0, "10.", "ten\nlines"),
            (1, "•", "dot"),
            (7, "-", "deep"),
        ] {
            markup.text(text);
            markup.end_paragraph(&Block::Item { depth, marker: marker.to_owned() });
        }
        markup.text("after");
        markup.end_paragraph(&Block::Plain);
        let expected =
            "9. nine\n   - dot\n     - a) letter\n10. ten  \n    lines\n    - dot\n      - deep\n\nafter\n";
        assert_eq!(markup.finish(), expected);
    }

    #[test]
    fn lines_of_code_share_a_fence() {
        let mut markup = Markup::new(TextFormat::Markdown);
        for line in ["fn main() {", "    # \\", "}"] {
            markup.text(line);
            markup.end_paragraph(&Block::Preformatted);
        }
        markup.text("```");
        markup.end_paragraph(&Block::Preformatted);
        assert_eq!(markup.finish(), "```\nfn main() {\n    # \\\n}\n```\n\n````\n```\n````\n");
    }

    #[test]
    fn a_table_may_go_on_over_pages_and_headings_know_theirs() {
        let mut markup = Markup::new(TextFormat::Text);
        markup.text("One");
        markup.end_paragraph(&Block::Heading(1));
        markup.start_table();
        for row in [["a", "b"], ["c", "d"]] {
            for cell in row {
                markup.text(cell);
                markup.end_cell();
            }
            markup.end_row();
            assert!(!markup.take_page().is_empty());
        }
        markup.end_table();
        markup.text("Two");
        markup.end_paragraph(&Block::Heading(2));
        let outline = markup.take_outline();
        let found: Vec<_> = outline.iter().map(|one| (one.level, one.title.as_str(), one.page)).collect();
        assert_eq!(found, [(1, "One", Some(1)), (2, "Two", Some(3))]);
        assert_eq!(markup.finish(), "Two\n");
    }

    #[test]
    fn links_are_kept_in_markdown_alone() {
        for (format, expected) in
            [(TextFormat::Text, "see there\n"), (TextFormat::Markdown, "see [there](https://a.example/)\n")]
        {
            let mut markup = Markup::new(format);
            markup.text("see ");
            markup.start_link("https://a.example/");
            markup.text("there");
            markup.end_link();
            assert_eq!(markup.finish(), expected);
        }
    }
}
