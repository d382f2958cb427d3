//! Writes blocks as Markdown.
//!
//! Tables use GitHub's pipes, or HTML if cells span others, which Markdown allows. Running heads are the HTML elements
//! `header` and `footer`, so that readers can leave them out.

use super::blocks::{Block, Cell, Item, Table};
use crate::output::markdown::{self, Place};
use crate::output::table::Table as Pipes;
use dossier_extract::TextFormat;
use std::fmt::Write as _;

/// Writes the blocks of a page.
pub(super) fn write(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        match block {
            Block::Heading { level, text } => {
                out.extend(std::iter::repeat_n('#', usize::from((*level).clamp(1, 6))));
                out.push(' ');
                markdown::heading(&mut out, &inline(text));
            }
            Block::Paragraph(text) | Block::Caption(text) | Block::Footnote(text) => {
                markdown::line(&mut out, &inline(text));
            }
            Block::List(items) => list(&mut out, items),
            Block::Code(lines) => {
                let text = lines.join("\n");
                let fence = markdown::fence(&text);
                let _ = write!(out, "{fence}\n{text}\n{fence}");
            }
            Block::Table(table) => self::table(&mut out, table),
            Block::RunningHead { is_at_top, text } => {
                let name = if *is_at_top { "header" } else { "footer" };
                let _ = write!(out, "<{name}>{}</{name}>", escaped(text));
            }
        }
    }
    out.push('\n');
    out
}

fn inline(text: &str) -> String {
    markdown::inline(text, &[], Place::Paragraph)
}

fn list(out: &mut String, items: &[Item]) {
    let mut widths: Vec<usize> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        widths.truncate(usize::from(item.depth));
        let indent = widths.iter().sum();
        out.extend(std::iter::repeat_n(' ', indent));
        let marker = item.marker.as_str();
        let number = marker.strip_suffix(['.', ')']).unwrap_or_default();
        let is_number = (1..=9).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            out.push_str(marker);
            widths.push(marker.len() + 1);
        } else {
            out.push('-');
            widths.push(2);
        }
        out.push(' ');
        if !is_number && marker.chars().any(char::is_alphanumeric) && marker != "o" {
            out.push_str(&inline(marker));
            out.push(' ');
        }
        markdown::line(out, &inline(&item.text));
    }
}

/// Writes a table with pipes, or in HTML if cells span others.
pub(in crate::pdf) fn table(out: &mut String, table: &Table) {
    if table.has_spans() {
        return html(out, table);
    }
    let mut pipes = Pipes::default();
    let row_of = |a: &Cell, b: &Cell| a.row == b.row;
    for row in table.head_above.chunk_by(row_of).chain(table.cells.chunk_by(row_of)) {
        for cell in row {
            pipes.cell(&markdown::inline(&cell.text, &[], Place::Cell));
        }
        pipes.end_row();
    }
    pipes.write(out, TextFormat::Markdown);
}

fn html(out: &mut String, table: &Table) {
    out.push_str("<table>");
    let row_of = |a: &Cell, b: &Cell| a.row == b.row;
    let above = table.head_above.chunk_by(row_of).map(|row| (row, true));
    let rows = table.cells.chunk_by(row_of).map(|row| (row, row[0].row < table.heads));
    for (row, is_head) in above.chain(rows) {
        out.push_str("\n<tr>");
        for cell in row {
            let name = if is_head { "th" } else { "td" };
            let _ = write!(out, "<{name}");
            if cell.columns > 1 {
                let _ = write!(out, " colspan=\"{}\"", cell.columns);
            }
            if cell.rows > 1 {
                let _ = write!(out, " rowspan=\"{}\"", cell.rows);
            }
            let _ = write!(out, ">{}</{name}>", escaped(&cell.text));
        }
        out.push_str("</tr>");
    }
    out.push_str("\n</table>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
