//! The text of one `WordprocessingML` part: body, header, footer, notes or comments.
//!
//! Elements are told by namespace and local name, never by prefix.

use super::malformed;
use dossier_extract::protocol::Failure;
use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

/// The pages of a part; what stands before an XML error is kept, if it is anything.
pub(super) fn pages(xml: &str) -> Result<Vec<String>, Failure> {
    let mut reader = NsReader::from_str(xml);
    reader.config_mut().allow_dangling_amp = true;
    let mut body = Body::default();
    loop {
        match reader.read_resolved_event() {
            Ok((namespace, Event::Start(element))) => body.start(kind(&namespace, &element), &element),
            Ok((namespace, Event::Empty(element))) => {
                let kind = kind(&namespace, &element);
                body.start(kind, &element);
                body.end();
            }
            Ok((_, Event::End(_))) => body.end(),
            Ok((_, Event::Text(text))) => body.text(&text.xml10_content()),
            Ok((_, Event::CData(text))) => body.text(&text.xml10_content()),
            Ok((_, Event::GeneralRef(reference))) => body.reference(&reference),
            Ok((_, Event::Eof)) => return Ok(body.finish()),
            Ok(_) => {}
            Err(error) if body.is_empty() => return Err(malformed(&format!("its XML is broken: {error}"))),
            Err(_) => return Ok(body.finish()),
        }
    }
}

/// What an element means for the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its children count, itself it says nothing.
    Transparent,
    /// It and all in it is no text of the document (properties, deleted text, field codes …).
    Silent,
    /// Characters.
    Text,
    Paragraph,
    Table,
    Row,
    Cell,
    TextBox,
    Run,
    Tab,
    Break,
    Hyphen,
    PageBreak,
    Symbol,
    Note,
    Alternatives,
    Choice,
    Fallback,
}

const WORD: [&str; 2] = [
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
];
const MATH: [&str; 2] = [
    "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "http://purl.oclc.org/ooxml/officeDocument/math",
];
const DRAWING: [&str; 2] =
    ["http://schemas.openxmlformats.org/drawingml/2006/main", "http://purl.oclc.org/ooxml/drawingml/main"];
const COMPATIBILITY: &str = "http://schemas.openxmlformats.org/markup-compatibility/2006";

fn kind(namespace: &ResolveResult<'_>, element: &BytesStart<'_>) -> Kind {
    let ResolveResult::Bound(Namespace(namespace)) = namespace else { return Kind::Transparent };
    let name = element.local_name();
    let name = name.as_ref();
    if WORD.contains(namespace) {
        return word(name);
    }
    match name {
        "t" if MATH.contains(namespace) || DRAWING.contains(namespace) => Kind::Text,
        "p" if DRAWING.contains(namespace) => Kind::Paragraph,
        "AlternateContent" if *namespace == COMPATIBILITY => Kind::Alternatives,
        "Choice" if *namespace == COMPATIBILITY => Kind::Choice,
        "Fallback" if *namespace == COMPATIBILITY => Kind::Fallback,
        _ => Kind::Transparent,
    }
}

fn word(name: &str) -> Kind {
    match name {
        "t" => Kind::Text,
        "r" => Kind::Run,
        "p" => Kind::Paragraph,
        "tbl" => Kind::Table,
        "tr" => Kind::Row,
        "tc" => Kind::Cell,
        "txbxContent" => Kind::TextBox,
        "tab" | "ptab" => Kind::Tab,
        "br" | "cr" => Kind::Break,
        "lastRenderedPageBreak" => Kind::PageBreak,
        "noBreakHyphen" => Kind::Hyphen,
        "sym" => Kind::Symbol,
        "footnote" | "endnote" | "comment" => Kind::Note,
        "pPr" | "rPr" | "tblPr" | "trPr" | "tcPr" | "sectPr" | "sdtPr" | "tblGrid" | "del" | "moveFrom"
        | "delText" | "instrText" | "delInstrText" | "rt" => Kind::Silent,
        _ => Kind::Transparent,
    }
}

/// The text so far, and what is open.
#[derive(Debug, Default)]
struct Body {
    open: Vec<Kind>,
    /// How many of `open` are silent.
    silent: usize,
    /// For each open `AlternateContent`: whether one of its choices has been taken.
    taken: Vec<bool>,
    pages: Vec<String>,
    page: String,
    /// Open tables that are not in a text box; the text of cells stays on the row's line.
    tables: usize,
    /// For each open text box: what stood around it, which is said first.
    around: Vec<(String, usize)>,
    /// Text boxes of the open paragraph, said after it.
    boxes: String,
}

impl Body {
    fn start(&mut self, kind: Kind, element: &BytesStart<'_>) {
        let kind = self.admit(kind, element);
        self.open.push(kind);
        if kind == Kind::Silent {
            self.silent += 1;
        }
        if self.silent > 0 {
            return;
        }
        match kind {
            Kind::Tab if self.in_run() => self.page.push('\t'),
            Kind::Break if is_page_break(element) => self.turn_page(),
            Kind::Break => self.line_break(),
            Kind::PageBreak => self.turn_page(),
            Kind::Hyphen => self.page.push('-'),
            Kind::Symbol => self.symbol(element),
            Kind::Table => self.tables += 1,
            Kind::Alternatives => self.taken.push(false),
            Kind::TextBox => {
                let around = std::mem::take(&mut self.page);
                self.around.push((around, std::mem::take(&mut self.tables)));
            }
            _ => {}
        }
    }

    fn end(&mut self) {
        let Some(kind) = self.open.pop() else { return };
        if kind == Kind::Silent {
            self.silent -= 1;
        }
        if self.silent > 0 {
            return;
        }
        match kind {
            Kind::Paragraph if self.tables > 0 => self.separate(' '),
            Kind::Paragraph => self.end_paragraph(),
            Kind::Cell if self.tables > 1 => self.separate(' '),
            Kind::Cell => {
                self.trim_cell();
                self.page.push('\t');
            }
            Kind::Row if self.tables == 1 => {
                self.trim_row();
                self.page.push('\n');
                self.say_boxes();
            }
            Kind::Table => self.tables = self.tables.saturating_sub(1),
            Kind::Alternatives => drop(self.taken.pop()),
            Kind::TextBox => {
                let said = std::mem::take(&mut self.page);
                self.boxes.push_str(&said);
                (self.page, self.tables) = self.around.pop().unwrap_or_default();
            }
            _ => {}
        }
    }

    /// Of alternatives only one counts; of notes, not the lines that separate them from the text.
    fn admit(&mut self, kind: Kind, element: &BytesStart<'_>) -> Kind {
        match (kind, self.taken.last_mut()) {
            (Kind::Choice | Kind::Fallback, Some(taken)) => {
                if std::mem::replace(taken, true) {
                    Kind::Silent
                } else {
                    Kind::Transparent
                }
            }
            (Kind::Note, _) if attribute(element, "type").is_some_and(|of| of != "normal") => Kind::Silent,
            // A text box in the properties of a run is no text; a paragraph mark's deletion is no deletion.
            (kind, _) => kind,
        }
    }

    fn text(&mut self, text: &str) {
        if self.silent == 0 && self.open.last() == Some(&Kind::Text) {
            self.page.push_str(text);
        }
    }

    /// Only the characters that XML itself knows: a document's own entities are not expanded.
    fn reference(&mut self, reference: &BytesRef<'_>) {
        let character = match &**reference {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => reference.resolve_char_ref().ok().flatten(),
        };
        if let Some(character) = character {
            self.text(character.encode_utf8(&mut [0; 4]));
        }
    }

    /// `w:sym` names a character of a font; Symbol fonts hide theirs in the private use area.
    fn symbol(&mut self, element: &BytesStart<'_>) {
        let code = attribute(element, "char").and_then(|hex| u32::from_str_radix(&hex, 16).ok());
        if let Some(character) =
            code.and_then(char::from_u32).filter(|c| !matches!(c, '\u{e000}'..='\u{f8ff}'))
        {
            self.page.push(character);
        }
    }

    fn in_run(&self) -> bool {
        self.open.iter().rev().nth(1) == Some(&Kind::Run)
    }

    fn line_break(&mut self) {
        if self.tables > 0 { self.separate(' ') } else { self.page.push('\n') }
    }

    fn end_paragraph(&mut self) {
        self.page.push('\n');
        self.say_boxes();
    }

    fn say_boxes(&mut self) {
        if self.around.is_empty() {
            self.page.push_str(&std::mem::take(&mut self.boxes));
        }
    }

    fn separate(&mut self, separator: char) {
        if !self.page.ends_with(['\n', '\t', ' ']) && !self.page.is_empty() {
            self.page.push(separator);
        }
    }

    /// Without the blanks that end a cell.
    fn trim_cell(&mut self) {
        self.page.truncate(self.page.trim_end_matches(' ').len());
    }

    /// Without the tabs and blanks that end a row.
    fn trim_row(&mut self) {
        self.page.truncate(self.page.trim_end_matches([' ', '\t']).len());
    }

    /// Within a text box a page break is none; a page without text is the mark of one break said twice.
    fn turn_page(&mut self) {
        if self.around.is_empty() && !self.page.trim().is_empty() {
            self.pages.push(std::mem::take(&mut self.page));
        }
    }

    fn is_empty(&self) -> bool {
        self.page.is_empty() && self.pages.is_empty()
    }

    fn finish(mut self) -> Vec<String> {
        // A truncated part may end within text boxes.
        while let Some((around, _)) = self.around.pop() {
            self.page.insert_str(0, &around);
        }
        self.page.push_str(&self.boxes);
        if self.pages.is_empty() || !self.page.trim().is_empty() {
            self.pages.push(self.page);
        }
        self.pages
    }
}

fn is_page_break(element: &BytesStart<'_>) -> bool {
    attribute(element, "type").is_some_and(|of| of == "page")
}

/// An attribute by its local name; Word's own attributes carry its namespace.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let found = attributes
        .with_checks(false)
        .filter_map(Result::ok)
        .find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(found.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
}
