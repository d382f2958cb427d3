//! The text of one `WordprocessingML` part, or of one note in it: body, header, footer, notes, comments.
//!
//! Invariant: deleted or moved text, field codes and properties are never extracted.

mod paging;
mod runs;
mod text_boxes;

use super::field::{Effect, Fields};
use super::numbering::Numbering;
use super::page_breaks::{PageBreaks, Source};
use super::paragraph::Properties;
use super::relationships::Relationships;
use super::section::Section;
use super::styles::Styles;
use crate::office::formulas;
use crate::office::symbol_fonts;
use crate::office::xml::{Element, Node, Xml};
use crate::output::markup::{Block, Markup};
use dossier_extract::TextFormat;
use std::collections::HashSet;

/// State shared by all parts of a document.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) format: TextFormat,
    pub(super) styles: Styles,
    pub(super) numbering: Numbering,
}

/// A text being read.
#[derive(Debug)]
pub(super) struct Story<'d> {
    pub(super) markup: Markup,
    document: &'d mut Document,
    relationships: &'d Relationships,
    open: Vec<Kind>,
    /// The properties of each open paragraph.
    properties: Vec<Option<Properties>>,
    fields: Fields,
    /// The font of the open run, if it is a symbol font.
    font: String,
    /// Whether the open run is hidden, and whether the open paragraph has contained hidden text.
    is_hidden: bool,
    has_hidden: bool,
    /// Ids of embedded documents that were already written.
    chunks: HashSet<String>,
    /// For each open text box: how many tables were open around it.
    boxes: Vec<usize>,
    tables: usize,
    /// How many columns the open cell spans.
    span: usize,
    /// Where pages and sections end; only for the body.
    breaks: Option<PageBreaks>,
}

/// What to do at the end of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    /// Its characters are text.
    Text,
    Paragraph,
    Table,
    Row,
    Cell,
    Box,
    Link,
}

/// Word's maximum number of columns in a table.
const MOST_COLUMNS: usize = 63;

impl<'d> Story<'d> {
    pub(super) fn new(
        document: &'d mut Document,
        relationships: &'d Relationships,
        breaks: Option<PageBreaks>,
    ) -> Self {
        Self {
            markup: Markup::new(document.format),
            document,
            relationships,
            open: Vec::new(),
            properties: Vec::new(),
            fields: Fields::default(),
            font: String::new(),
            is_hidden: false,
            has_hidden: false,
            chunks: HashSet::new(),
            boxes: Vec::new(),
            tables: 0,
            span: 1,
            breaks,
        }
    }

    /// Reads a header or footer and returns its text.
    pub(super) fn read_margin(mut self, xml: &str) -> String {
        self.fields.hides_page_numbers = true;
        self.read(&mut Xml::new(xml));
        self.markup.finish()
    }

    /// Reads the innermost open element to its end, or the whole part.
    pub(super) fn read(&mut self, xml: &mut Xml<'_>) {
        while let Some(node) = xml.next() {
            match node {
                Node::Start(element) => self.start(&element, xml),
                Node::Text(text) if self.open.last() == Some(&Kind::Text) => self.text(&text),
                Node::Text(_) => {}
                Node::End(_) => match self.open.pop() {
                    Some(kind) => self.end(kind),
                    None => return,
                },
            }
        }
    }

    fn start(&mut self, element: &Element<'_>, xml: &mut Xml<'_>) {
        let kind = match element.space {
            "w" => self.start_word(element, xml),
            "m" if element.name() == "oMath" => {
                let formula = formulas::read(xml);
                self.text(&formula);
                None
            }
            "a" => Some(self.start_drawing(element)),
            "v" if element.name() == "textpath" => {
                self.aside(&element.attribute("string").unwrap_or_default());
                Some(Kind::Nothing)
            }
            "wp" if element.name() == "docPr" => {
                self.picture(element);
                Some(Kind::Nothing)
            }
            "c" if element.name() == "chart" => {
                self.figure(element.foreign_attribute("id"));
                Some(Kind::Nothing)
            }
            "dgm" if element.name() == "relIds" => {
                self.figure(element.foreign_attribute("dm"));
                Some(Kind::Nothing)
            }
            _ => Some(Kind::Nothing),
        };
        self.open.extend(kind);
    }

    /// Starts a `w:` element; `None` if it was read to its end.
    fn start_word(&mut self, element: &Element<'_>, xml: &mut Xml<'_>) -> Option<Kind> {
        match element.name() {
            "t" => return Some(Kind::Text),
            "p" => {
                self.properties.push(None);
                return Some(Kind::Paragraph);
            }
            "r" => {
                self.font.clear();
                self.is_hidden = self.paragraph_hides();
            }
            "altChunk" => self.chunk(element),
            "tbl" => {
                self.markup.start_table();
                self.tables += 1;
                return Some(Kind::Table);
            }
            "tr" => {
                self.in_outer_table(PageBreaks::start_row);
                return Some(Kind::Row);
            }
            "tc" => {
                self.span = 1;
                return Some(Kind::Cell);
            }
            "txbxContent" => {
                self.start_box();
                return Some(Kind::Box);
            }
            "hyperlink" => {
                let target = element.foreign_attribute("id").and_then(|id| self.relationships.link(&id));
                if let Some(url) = target {
                    self.markup.start_link(url);
                    return Some(Kind::Link);
                }
            }
            "pPr" => {
                self.paragraph_properties(xml);
                return None;
            }
            "rPr" => {
                self.run_properties(xml);
                return None;
            }
            "tcPr" | "trPr" => {
                self.cell_properties(xml);
                return None;
            }
            "sectPr" => {
                let section = Section::read(xml);
                self.end_section(section);
                return None;
            }
            "fldChar" => {
                let effect = self.fields.mark(element, xml);
                self.field_effect(effect);
                return None;
            }
            "fldSimple" if self.fields.hides(element) => {
                xml.skip()?;
                return None;
            }
            "instrText" => {
                let code = xml.text();
                self.fields.code(&code);
                return None;
            }
            // Other properties, deleted or moved text, and ruby annotations.
            "tblPr" | "tblPrEx" | "tblGrid" | "sdtPr" | "sdtEndPr" | "smartTagPr" | "customXmlPr"
            | "rubyPr" | "rt" | "del" | "moveFrom" | "delText" | "delInstrText" => {
                xml.skip()?;
                return None;
            }
            name => self.sign(name, element),
        }
        Some(Kind::Nothing)
    }

    /// Elements that stand for characters.
    fn sign(&mut self, name: &str, element: &Element<'_>) {
        match name {
            "tab" | "ptab" => self.text("\t"),
            "br" if element.attribute("type").is_some_and(|kind| kind == "page") => self.turn_page(),
            "br" | "cr" => self.text("\n"),
            "lastRenderedPageBreak" => self.turn_page(),
            "noBreakHyphen" => self.text("-"),
            "sym" => {
                let code = element.attribute("char").and_then(|hex| u32::from_str_radix(&hex, 16).ok());
                let font = element.attribute("font").unwrap_or_default();
                let usual = |code| char::from_u32(code).filter(|_| !symbol_fonts::is_private(code));
                let sign = code.and_then(|code| symbol_fonts::character(&font, code).or_else(|| usual(code)));
                if let Some(sign) = sign {
                    self.text(sign.encode_utf8(&mut [0; 4]));
                }
            }
            "footnoteReference" => self.reference(Source::Footnote, element),
            "endnoteReference" => self.reference(Source::Endnote, element),
            "commentReference" => self.reference(Source::Comment, element),
            _ => {}
        }
    }

    fn end(&mut self, kind: Kind) {
        match kind {
            Kind::Nothing | Kind::Text => {}
            Kind::Paragraph => self.end_paragraph(),
            Kind::Link => self.markup.end_link(),
            Kind::Cell => {
                for _ in 0..std::mem::replace(&mut self.span, 1) {
                    self.markup.end_cell();
                }
                self.in_outer_table(PageBreaks::end_cell);
            }
            Kind::Row => {
                self.markup.end_row();
                if let Some(breaks) =
                    self.breaks.as_mut().filter(|_| self.tables == 1 && self.boxes.is_empty())
                {
                    breaks.end_row(&mut self.markup);
                }
            }
            Kind::Table => {
                self.markup.end_table();
                self.tables = self.tables.saturating_sub(1);
            }
            Kind::Box => {
                self.markup.end_aside();
                self.tables = self.boxes.pop().unwrap_or_default();
                self.is_hidden = false;
            }
        }
    }

    fn text(&mut self, text: &str) {
        if self.fields.is_code() {
            return;
        }
        if self.is_hidden {
            self.has_hidden |= !text.trim().is_empty();
            return;
        }
        let text = symbol_fonts::decode(&self.font, text);
        // A soft hyphen shows only where a line ends, and hides the word from a search.
        if text.contains('\u{ad}') {
            self.markup.text(&text.replace('\u{ad}', ""));
        } else {
            self.markup.text(&text);
        }
        self.in_outer_table(PageBreaks::note_text);
    }

    fn paragraph_properties(&mut self, xml: &mut Xml<'_>) {
        let found = self.document.styles.apply(Properties::read(xml));
        let starts_page = found.starts_page == Some(true);
        if let Some(properties) = self.properties.last_mut() {
            *properties = Some(found);
            if starts_page {
                self.turn_page();
            }
        }
    }

    fn end_paragraph(&mut self) {
        self.fields.end_paragraph();
        let properties = self.take_properties();
        self.properties.pop();
        if properties.goes_on && properties.section.is_none() {
            return self.markup.blank();
        }
        self.is_hidden = false;
        // A paragraph that contains only hidden text does not exist for the reader.
        if !std::mem::take(&mut self.has_hidden) || self.markup.has_open_line() {
            let block = self.block(&properties);
            self.markup.end_paragraph(&block);
        }
        if let Some(section) = properties.section {
            self.end_section(section);
        }
    }

    /// Takes the properties of the open paragraph; the rest of it then has none.
    fn take_properties(&mut self) -> Properties {
        let properties = self.properties.last_mut().map(|open| open.replace(Properties::default()));
        // A paragraph without properties has the default style.
        properties.flatten().unwrap_or_else(|| self.document.styles.apply(Properties::default()))
    }

    /// The kind of block. Advances the list counter; a heading's number becomes part of its text.
    fn block(&mut self, properties: &Properties) -> Block {
        let Document { styles, numbering, .. } = &mut *self.document;
        let block = properties.block();
        let Some(list) = properties.list.filter(|list| *list > 0) else { return block };
        let style_level =
            || properties.list_style.as_ref().and_then(|style| numbering.level_of(list, style, styles));
        let level = properties.level.or_else(style_level).unwrap_or_default();
        match (numbering.next(list, level, styles), block) {
            (Some(marker), Block::Plain) => Block::Item { depth: level, marker },
            (Some(marker), block @ Block::Heading(_)) => {
                if self.markup.has_open_line() {
                    self.markup.text_before(&format!("{marker} "));
                }
                block
            }
            (_, block) => block,
        }
    }

    /// Adds empty cells for spanned columns and for the gap before the first cell, to keep columns aligned.
    fn cell_properties(&mut self, xml: &mut Xml<'_>) {
        let (mut span, mut before) = (1, 0);
        xml.children(|_, child| match child.name() {
            "gridSpan" => span = child.number("val").unwrap_or(1),
            "gridBefore" => before = child.number("val").unwrap_or(0),
            _ => {}
        });
        self.span = span.clamp(1, MOST_COLUMNS);
        for _ in 0..before.min(MOST_COLUMNS) {
            self.markup.end_cell();
        }
    }

    fn field_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Text(text) if !self.is_hidden => self.markup.text(&text),
            Effect::Nothing | Effect::Text(_) => {}
            Effect::StartLink(url) => self.markup.start_link(&url),
            Effect::EndLink => self.markup.end_link(),
        }
    }
}
