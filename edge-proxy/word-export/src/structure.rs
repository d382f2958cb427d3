//! The structure of a page, as a bundle has it: its Markdown in blocks, and its tables.
//!
//! Invariant: a table is drawn from its cells, not from its Markdown. The tables of both are in the same order.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde::Deserialize;

/// Larger tables are written as text.
const MOST_POSITIONS: usize = 20_000;
/// What a cell counts, in bytes of text: it becomes several elements.
const CELL_BYTES: usize = 400;

#[derive(Debug, Deserialize)]
pub(super) struct Structure {
    pub(super) markdown: Option<String>,
    #[serde(default)]
    tables: Vec<Table>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Table {
    rows: usize,
    pub(super) columns: usize,
    pub(super) header_rows: usize,
    cells: Vec<Cell>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Cell {
    pub(super) row: usize,
    column: usize,
    pub(super) row_span: usize,
    pub(super) column_span: usize,
    pub(super) text: String,
}

/// A part of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block<'a> {
    /// Its level, from 1.
    Heading(u8, String),
    Text(String),
    /// An item of a list, with its mark, and the number of lists around it.
    Item(u8, String),
    RunningHead(String),
    Table(&'a Table),
}

impl Structure {
    /// What the structure adds to the size of the text.
    pub(super) fn weight(&self) -> usize {
        self.tables.iter().map(|table| table.cells.len() * CELL_BYTES).sum()
    }

    /// The page in blocks; `None` if it has no Markdown.
    pub(super) fn blocks(&self) -> Option<Vec<Block<'_>>> {
        let markdown = self.markdown.as_deref().filter(|text| !text.trim().is_empty())?;
        let mut reader = Reader {
            tables: self.tables.iter(),
            blocks: Vec::new(),
            open: String::new(),
            lists: Vec::new(),
            level: 0,
        };
        let mut events = Parser::new_ext(markdown, Options::ENABLE_TABLES);
        while let Some(event) = events.next() {
            match event {
                Event::Start(Tag::Table(_)) => {
                    let text = written_table(&mut events);
                    reader.table(text);
                }
                Event::Start(Tag::HtmlBlock) => {
                    let html = written_html(&mut events);
                    reader.html(&html);
                }
                event => reader.read(event),
            }
        }
        reader.flush();
        Some(reader.blocks)
    }
}

impl Table {
    /// Its rows, with the cell that begins or goes on at each position. A cell is listed once per row.
    pub(super) fn grid(&self) -> Vec<Vec<Option<&Cell>>> {
        let mut at: Vec<Vec<Option<&Cell>>> = vec![vec![None; self.columns]; self.rows];
        for cell in &self.cells {
            for row in at.iter_mut().skip(cell.row).take(cell.row_span) {
                row.iter_mut().skip(cell.column).take(cell.column_span).for_each(|place| *place = Some(cell));
            }
        }
        let is_again = |one: Option<&Cell>, other: Option<&Cell>| {
            one.zip(other).is_some_and(|(one, other)| std::ptr::eq(one, other))
        };
        for row in &mut at {
            row.dedup_by(|next, last| is_again(*last, *next));
        }
        at
    }

    fn can_be_drawn(&self) -> bool {
        !self.cells.is_empty()
            && self.rows.checked_mul(self.columns).is_some_and(|positions| positions <= MOST_POSITIONS)
    }
}

struct Reader<'a> {
    tables: std::slice::Iter<'a, Table>,
    blocks: Vec<Block<'a>>,
    /// The text of the open block.
    open: String,
    /// The next number of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    /// Of the open heading; 0 for other blocks.
    level: u8,
}

impl Reader<'_> {
    fn read(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                self.flush();
                self.level = level as u8;
            }
            Event::Start(Tag::List(first)) => {
                self.flush();
                self.lists.push(first);
            }
            Event::Start(Tag::Item) => {
                self.flush();
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "\u{2022} ".to_owned(),
                };
                self.open.push_str(&mark);
            }
            Event::End(TagEnd::List(_)) => {
                self.flush();
                self.lists.pop();
            }
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::Item) => {
                self.flush();
            }
            Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) => self.open.push_str(&text),
            Event::SoftBreak => self.open.push(' '),
            Event::HardBreak => self.open.push('\n'),
            _ => {}
        }
    }

    /// Ends the open block.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.open);
        let level = std::mem::take(&mut self.level);
        if text.trim().is_empty() {
            return;
        }
        let depth = u8::try_from(self.lists.len()).unwrap_or(u8::MAX);
        self.blocks.push(match (level, depth) {
            (0, 0) => Block::Text(text),
            (0, depth) => Block::Item(depth, text),
            (level, _) => Block::Heading(level, text),
        });
    }

    fn table(&mut self, text: String) {
        self.flush();
        match self.tables.next().filter(|table| table.can_be_drawn()) {
            Some(table) => self.blocks.push(Block::Table(table)),
            None => self.blocks.push(Block::Text(text)),
        }
    }

    fn html(&mut self, html: &str) {
        self.flush();
        if html.starts_with("<table>") {
            let text = html.replace("</td>", "\t").replace("</th>", "\t");
            return self.table(plain(&text));
        }
        self.blocks.push(Block::RunningHead(plain(html)));
    }
}

/// The text of a table that its Markdown writes: a line for each row.
fn written_table(events: &mut Parser<'_>) -> String {
    let mut text = String::new();
    for event in events.by_ref() {
        match event {
            Event::End(TagEnd::Table) => break,
            Event::End(TagEnd::TableRow | TagEnd::TableHead) => text.push('\n'),
            Event::End(TagEnd::TableCell) => text.push('\t'),
            Event::Text(words) | Event::Code(words) => text.push_str(&words),
            _ => {}
        }
    }
    text
}

fn written_html(events: &mut Parser<'_>) -> String {
    let mut html = String::new();
    for event in events.by_ref() {
        match event {
            Event::End(TagEnd::HtmlBlock) => break,
            Event::Html(line) | Event::Text(line) => html.push_str(&line),
            _ => {}
        }
    }
    html
}

/// The text of the few elements that pages are written with.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structure(json: &str) -> Structure {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn markdown_is_read_in_blocks() {
        let page = structure(
            r##"{"markdown": "# Berths \\*\n\n<header>Guide &amp; rules</header>\n\nOne\ntwo\n\n- a\n  - b\n- c\n\n3. d\n4. e\n\n```\nx = 1\n```\n"}"##,
        );
        let text = |text: &str| Block::Text(text.to_owned());
        let item = |depth, text: &str| Block::Item(depth, text.to_owned());
        let expected = vec![
            Block::Heading(1, "Berths *".to_owned()),
            Block::RunningHead("Guide & rules".to_owned()),
            text("One two"),
            item(1, "\u{2022} a"),
            item(2, "\u{2022} b"),
            item(1, "\u{2022} c"),
            item(1, "3. d"),
            item(1, "4. e"),
            text("x = 1\n"),
        ];
        assert_eq!(page.blocks(), Some(expected));
        assert_eq!(structure(r#"{"headings": []}"#).blocks(), None);
    }

    #[test]
    fn tables_come_from_their_cells_in_order() {
        let page = structure(
            r#"{"markdown": "| a | b |\n| --- | --- |\n| c | d |\n\n<table>\n<tr><th colspan=\"2\">e &lt;</th></tr>\n</table>\n\nend\n",
                "tables": [{"rows": 2, "columns": 2, "header_rows": 1, "cells": []},
                  {"rows": 2, "columns": 3, "header_rows": 1, "cells": [
                    {"row": 0, "column": 0, "row_span": 1, "column_span": 2, "text": "e"},
                    {"row": 0, "column": 2, "row_span": 2, "column_span": 1, "text": "f"}]}]}"#,
        );
        let blocks = page.blocks().unwrap();
        assert_eq!(blocks[0], Block::Text("a\tb\t\nc\td\t\n".to_owned()), "without cells, a table is text");
        let Block::Table(table) = blocks[1] else { panic!("{blocks:?}") };
        let grid: Vec<Vec<&str>> = table
            .grid()
            .into_iter()
            .map(|row| row.into_iter().map(|cell| cell.map_or("-", |cell| &cell.text)).collect())
            .collect();
        assert_eq!(grid, [vec!["e", "f"], vec!["-", "-", "f"]]);
        assert_eq!(blocks[2], Block::Text("end".to_owned()));
    }

    #[test]
    fn a_table_of_absurd_size_is_text() {
        let page = structure(
            r#"{"markdown": "| a |\n| --- |\n", "tables": [{"rows": 1000000, "columns": 10000, "header_rows": 0, "cells": [
                {"row": 0, "column": 0, "row_span": 1, "column_span": 1, "text": "a"}]}]}"#,
        );
        assert_eq!(page.blocks(), Some(vec![Block::Text("a\t\n".to_owned())]));
    }
}
