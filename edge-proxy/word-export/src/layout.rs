//! The layout of the document: headings in Word's own styles, so that its navigation pane lists them, and properties in
//! tables.

use super::structure::{self, Block};
use super::text::{escaped, paragraphs, rows, valid};
use super::{Context, Document, Page, Session, Story};
use docx_rs::{
    Docx, Paragraph, Run, Style, StyleType, Table, TableCell, TableLayoutType, TableRow, VMergeType,
    WidthType,
};
use serde_json::Value;
use std::io::{self, Cursor, Write};
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// A longer table would be unreadable. As JSON it takes less space.
const MOST_ROWS: usize = 200;
/// The part with the properties of the document.
const PROPERTIES: &str = "docProps/core.xml";
/// In twentieths of a point. Together they are the width of the text on A4.
const KEY_WIDTH: usize = 2600;
const VALUE_WIDTH: usize = 6400;
/// How far the items of a list are indented for each level.
const INDENT: i32 = 400;
/// The styles of a page's headings by level. Deeper ones have the last.
const DEEPER: [&str; 4] = ["Heading3", "Heading4", "Heading5", "Heading6"];

/// The bytes of the document.
pub(super) fn packed(story: Story) -> io::Result<Vec<u8>> {
    let mut docx = styled();
    if let Some(session) = &story.session {
        docx = heading(docx, "Title", session.title.as_deref().unwrap_or("Untitled session"));
        docx = table(docx, session.facts());
    }
    docx = heading(docx, "Heading1", "Context");
    docx = match story.context {
        Some(context) => current_context(docx, &context),
        None => note(docx, "The session has no context."),
    };
    for (document, pages) in story.documents {
        docx = described(docx, &document);
        docx = pages.into_iter().fold(docx, |docx, page| read(docx, &document, &page));
    }
    let mut bytes = Cursor::new(Vec::new());
    docx.pack(&mut bytes).map_err(io::Error::other)?;
    let properties = story.session.as_ref().map(Session::properties);
    Ok(finished(bytes, properties.as_deref())?)
}

/// The same archive, compressed and with its properties. `docx-rs` neither compresses its parts nor writes a title.
fn finished(archive: Cursor<Vec<u8>>, properties: Option<&str>) -> ZipResult<Vec<u8>> {
    let mut from = ZipArchive::new(archive)?;
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..from.len() {
        let mut part = from.by_index(index)?;
        if part.is_file() {
            let name = part.name()?.into_owned();
            to.start_file(&*name, SimpleFileOptions::default())?;
            match properties {
                Some(properties) if name == PROPERTIES => to.write_all(properties.as_bytes())?,
                _ => {
                    io::copy(&mut part, &mut to)?;
                }
            }
        }
    }
    Ok(to.finish()?.into_inner())
}

fn styled() -> Docx {
    let heading = |id: &str, name: &str, size| {
        Style::new(id, StyleType::Paragraph).name(name).based_on("Normal").next("Normal").size(size).bold()
    };
    // Sizes are in half points. Word recognises the names `heading 1` and so on.
    Docx::new()
        .add_style(heading("Title", "Title", 52))
        .add_style(heading("Heading1", "heading 1", 36).outline_lvl(0))
        .add_style(heading("Heading2", "heading 2", 28).outline_lvl(1))
        .add_style(heading("Heading3", "heading 3", 26).outline_lvl(2))
        .add_style(heading("Heading4", "heading 4", 24).outline_lvl(3))
        .add_style(heading("Heading5", "heading 5", 22).outline_lvl(4))
        .add_style(heading("Heading6", "heading 6", 22).outline_lvl(5))
}

fn current_context(docx: Docx, context: &Context) -> Docx {
    let saved = format!("Version {}, saved {}", context.version, moment(&context.updated_at));
    let by = context.updated_by.iter().map(|user| format!(" by {user}"));
    let docx = note(docx, &by.fold(saved, |text, by| text + &by));
    metadata(texts(docx, &context.text), "Metadata of the context", context.metadata.get())
}

fn described(docx: Docx, document: &Document) -> Docx {
    let title = Paragraph::new().style("Heading1").page_break_before(true);
    let docx = docx.add_paragraph(title.add_run(Run::new().add_text(valid(&document.name))));
    let docx = table(docx, document.facts());
    metadata(docx, "Metadata of the document", document.metadata.get())
}

fn read(docx: Docx, document: &Document, page: &Page) -> Docx {
    let mut title = format!("Page {}", page.number);
    let label = document.label(page.number).filter(|label| *label != page.number.to_string());
    title.extend(label.map(|label| format!(" ({label})")));
    if page.source == "ocr" {
        title += ", read by OCR";
    }
    let docx = heading(docx, "Heading2", &title);
    match page.structure.as_ref().and_then(|structure| structure.blocks()) {
        Some(blocks) => blocks.into_iter().fold(docx, block),
        None if page.text.trim().is_empty() => note(docx, "No text."),
        None => texts(docx, &page.text),
    }
}

/// A part of a page. Its headings are below that of the page.
fn block(docx: Docx, block: Block<'_>) -> Docx {
    match block {
        Block::Heading(level, text) => heading(docx, DEEPER[usize::from(level).min(DEEPER.len()) - 1], &text),
        Block::Text(text) => texts(docx, &text),
        Block::Item(depth, text) => paragraphs(&text).fold(docx, |docx, paragraph| {
            docx.add_paragraph(paragraph.indent(Some(INDENT * i32::from(depth)), None, None, None))
        }),
        Block::RunningHead(text) => note(docx, &text),
        Block::Table(table) => found_table(docx, table),
    }
}

/// A table of a page, with its spans.
fn found_table(docx: Docx, found: &structure::Table) -> Docx {
    let width = (KEY_WIDTH + VALUE_WIDTH) / found.columns.max(1);
    let rows = found.grid().into_iter().enumerate().map(|(row, cells)| {
        TableRow::new(
            cells
                .into_iter()
                .map(|cell| {
                    let Some(found_cell) = cell else {
                        return TableCell::new().add_paragraph(Paragraph::new());
                    };
                    let is_first = found_cell.row == row;
                    let text = if is_first { found_cell.text.as_str() } else { "" };
                    let mut cell = TableCell::new().width(width * found_cell.column_span, WidthType::Dxa);
                    if found_cell.column_span > 1 {
                        cell = cell.grid_span(found_cell.column_span);
                    }
                    if found_cell.row_span > 1 {
                        cell = cell.vertical_merge(if is_first {
                            VMergeType::Restart
                        } else {
                            VMergeType::Continue
                        });
                    }
                    let run = Run::new().add_text(valid(text));
                    let run = if row < found.header_rows { run.bold() } else { run };
                    cell.add_paragraph(Paragraph::new().add_run(run))
                })
                .collect(),
        )
    });
    let table =
        Table::new(rows.collect()).set_grid(vec![width; found.columns]).layout(TableLayoutType::Fixed);
    docx.add_table(table).add_paragraph(Paragraph::new())
}

impl Session {
    fn facts(&self) -> Vec<(String, String)> {
        facts([
            ("Conversation type", Some(self.conversation_type.clone())),
            ("Status", Some(self.status.clone())),
            ("Created", Some(moment(&self.created_at))),
            ("Changed", Some(moment(&self.updated_at))),
            ("Id", Some(self.id.clone())),
        ])
    }

    /// The content of [`PROPERTIES`], which file managers and searches show.
    fn properties(&self) -> String {
        let title = self.title.as_deref().map(|title| format!("<dc:title>{}</dc:title>", escaped(title)));
        format!(
            r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{}
<dcterms:created xsi:type="dcterms:W3CDTF">{}</dcterms:created>
<dcterms:modified xsi:type="dcterms:W3CDTF">{}</dcterms:modified>
</cp:coreProperties>"#,
            title.unwrap_or_default(),
            self.created_at,
            self.updated_at
        )
    }
}

impl Document {
    fn facts(&self) -> Vec<(String, String)> {
        facts([
            ("Type", Some(self.media_type.clone())),
            ("Size", Some(format!("{} bytes", self.size_bytes))),
            ("SHA-256", Some(self.sha256.clone())),
            ("Status", Some(self.status.clone())),
            ("Notice", self.error_message.clone()),
            ("Language", self.language.clone()),
            ("Uploaded", Some(moment(&self.created_at))),
        ])
    }

    /// The label of a page in the file itself, such as iv or the name of a sheet.
    fn label(&self, page: usize) -> Option<String> {
        let said: Value = serde_json::from_str(self.file_metadata.get()).ok()?;
        Some(said.get("page_labels")?.get(page.checked_sub(1)?)?.as_str()?.to_owned())
    }
}

fn facts<const N: usize>(facts: [(&str, Option<String>); N]) -> Vec<(String, String)> {
    facts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

/// A time in Postgres's JSON, in a readable form.
fn moment(time: &str) -> String {
    time.get(..19).map_or_else(|| time.to_owned(), |time| format!("{} UTC", time.replace('T', " ")))
}

/// A table of the values of a JSON object. An object with too many of them is shown as JSON.
fn metadata(docx: Docx, title: &str, json: &str) -> Docx {
    let rows = serde_json::from_str(json).ok().and_then(|value| rows(&value, MOST_ROWS));
    match rows {
        Some(rows) if rows.is_empty() => docx,
        Some(rows) => table(heading(docx, "Heading2", title), rows),
        None => texts(heading(docx, "Heading2", title), json),
    }
}

fn heading(docx: Docx, style: &str, text: &str) -> Docx {
    docx.add_paragraph(Paragraph::new().style(style).add_run(Run::new().add_text(valid(text))))
}

fn note(docx: Docx, text: &str) -> Docx {
    docx.add_paragraph(Paragraph::new().add_run(Run::new().italic().add_text(valid(text))))
}

fn texts(docx: Docx, text: &str) -> Docx {
    paragraphs(text).fold(docx, Docx::add_paragraph)
}

fn table(docx: Docx, rows: Vec<(String, String)>) -> Docx {
    let rows = rows.into_iter().map(|(key, value)| {
        let key = Paragraph::new().add_run(Run::new().bold().add_text(valid(&key)));
        let value = paragraphs(&value).fold(TableCell::new(), TableCell::add_paragraph);
        TableRow::new(vec![
            TableCell::new().add_paragraph(key).width(KEY_WIDTH, WidthType::Dxa),
            value.width(VALUE_WIDTH, WidthType::Dxa),
        ])
    });
    let table =
        Table::new(rows.collect()).set_grid(vec![KEY_WIDTH, VALUE_WIDTH]).layout(TableLayoutType::Fixed);
    // A paragraph separates it from the following text.
    docx.add_table(table).add_paragraph(Paragraph::new())
}
