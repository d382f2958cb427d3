//! DrawingML text: shapes, tables, diagrams and charts in slides and sheets.
//!
//! Invariant: knows nothing about part names; a reader passes in one node after another.

use crate::office::xml::{Element, Node, Xml};
use crate::output::markup::{Block, Markup};
use crate::output::numerals::Numeral;

/// Number of indentation levels.
const LEVELS: usize = 9;
const BULLET: &str = "•";

/// The position within the text of a shape.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// Inside `a:t`.
    in_text: bool,
    /// Whether the open paragraph has text.
    is_said: bool,
    paragraph: Paragraph,
    /// The default kind of paragraph in this shape.
    pub(crate) usual: Usual,
    /// Number of numbered paragraphs so far, by level.
    numbers: [u32; LEVELS],
}

/// The kind of paragraphs without explicit properties.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usual {
    #[default]
    Plain,
    Bulleted,
    /// Headings, even if their properties say otherwise.
    Title,
}

/// The properties of a paragraph.
#[derive(Debug, Default)]
struct Paragraph {
    level: u8,
    bullet: Bullet,
}

#[derive(Debug, Default)]
enum Bullet {
    #[default]
    AsUsual,
    None,
    Mark,
    /// The format, and the first number.
    Number(String, u32),
}

impl Words {
    /// Starts another shape.
    pub(crate) fn start_shape(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn node(&mut self, node: &Node<'_>, markup: &mut Markup) {
        match node {
            Node::Start(element) if element.is("m", "t") => self.in_text = true,
            Node::End(end) if end.is("m", "t") => self.in_text = false,
            Node::Start(element) if element.space == "a" => self.start(element, markup),
            Node::End(end) if end.space == "a" => self.end(end.name(), markup),
            Node::Text(text) if self.in_text => {
                self.is_said |= !text.trim().is_empty();
                markup.text(text);
            }
            Node::Start(_) | Node::End(_) | Node::Text(_) => {}
        }
    }

    fn start(&mut self, element: &Element<'_>, markup: &mut Markup) {
        match element.name() {
            "t" => self.in_text = true,
            "br" => markup.line_break(),
            "p" => self.paragraph = Paragraph::default(),
            "pPr" => self.paragraph.level = element.number("lvl").unwrap_or_default(),
            "buNone" => self.paragraph.bullet = Bullet::None,
            "buChar" | "buBlip" => self.paragraph.bullet = Bullet::Mark,
            "buAutoNum" => {
                let scheme = element.attribute("type").unwrap_or_default();
                let start = element.number("startAt").unwrap_or(1);
                self.paragraph.bullet = Bullet::Number(scheme, start);
            }
            "tbl" => markup.start_table(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str, markup: &mut Markup) {
        match name {
            "t" => self.in_text = false,
            "p" if std::mem::take(&mut self.is_said) => {
                let block = self.block();
                markup.end_paragraph(&block);
            }
            "tc" => markup.end_cell(),
            "tr" => markup.end_row(),
            "tbl" => markup.end_table(),
            _ => {}
        }
    }

    /// The kind of the paragraph; called once for each paragraph with text.
    fn block(&mut self) -> Block {
        let depth = self.paragraph.level;
        let Some([count, deeper @ ..]) = self.numbers.get_mut(usize::from(depth)..) else {
            return Block::Plain;
        };
        deeper.fill(0);
        let marker = match std::mem::take(&mut self.paragraph.bullet) {
            _ if self.usual == Usual::Title => return Block::Heading(1),
            Bullet::Number(scheme, start) => {
                *count = count.saturating_add(1);
                numbered(&scheme, start.saturating_add(*count - 1))
            }
            Bullet::None => return Block::Plain,
            Bullet::AsUsual if self.usual == Usual::Plain => return Block::Plain,
            Bullet::AsUsual | Bullet::Mark => {
                *count = 0;
                BULLET.to_owned()
            }
        };
        Block::Item { depth, marker }
    }
}

/// A number in an `ST_TextAutonumberScheme`: `alphaLcParenR` is `a)`.
fn numbered(scheme: &str, number: u32) -> String {
    let numeral = match scheme {
        _ if scheme.starts_with("alphaLc") => Numeral::LowerLetter,
        _ if scheme.starts_with("alphaUc") => Numeral::UpperLetter,
        _ if scheme.starts_with("romanLc") => Numeral::LowerRoman,
        _ if scheme.starts_with("romanUc") => Numeral::UpperRoman,
        _ if scheme.starts_with("circle") => Numeral::Circled,
        _ => Numeral::Decimal,
    };
    let number = numeral.write(number);
    match scheme {
        _ if scheme.ends_with("ParenBoth") => format!("({number})"),
        _ if scheme.ends_with("ParenR") => format!("{number})"),
        _ if scheme.ends_with("Period") => format!("{number}."),
        _ => number,
    }
}

/// Writes a part that contains only text: diagram data, the drawings of a sheet, comments.
pub(crate) fn write(xml: &str, markup: &mut Markup) {
    let (mut reader, mut words) = (Xml::new(xml), Words::default());
    while let Some(node) = reader.next() {
        if matches!(&node, Node::Start(element) if element.name() == "sp") {
            words.start_shape();
        }
        words.node(&node, markup);
    }
    end(markup);
}

/// How much of a chart is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chart {
    /// Only its titles, because the sheet itself contains the values.
    Titles,
    /// Its titles, and one line per series: `Sales: North 4.3, South 2.5`.
    Whole,
}

/// Writes a chart.
pub(crate) fn write_chart(xml: &str, detail: Chart, markup: &mut Markup) {
    let (mut reader, mut words) = (Xml::new(xml), Words::default());
    let mut series = Series::default();
    while let Some(node) = reader.next() {
        match &node {
            Node::Start(element) if element.space == "c" => match element.name() {
                "v" => series.say(reader.text()),
                "cat" | "xVal" => series.role = Role::Category,
                "val" | "yVal" => series.role = Role::Value,
                "tx" => series.role = Role::Name,
                _ => {}
            },
            Node::End(end) if end.space == "c" => match end.name() {
                "cat" | "xVal" | "val" | "yVal" | "tx" => series.role = Role::Nothing,
                "ser" if detail == Chart::Titles => series = Series::default(),
                "ser" | "title" => std::mem::take(&mut series).write(markup),
                _ => {}
            },
            node => words.node(node, markup),
        }
    }
    end(markup);
}

/// Closes elements that a malformed part left open.
pub(crate) fn end(markup: &mut Markup) {
    while markup.in_table() {
        markup.end_table();
    }
}

/// The role of the current values in a series.
#[derive(Debug, Default, Clone, Copy)]
enum Role {
    #[default]
    Nothing,
    Name,
    Category,
    Value,
}

/// A series of a chart, or a title taken from a cell.
#[derive(Debug, Default)]
struct Series {
    role: Role,
    name: String,
    categories: Vec<String>,
    values: Vec<String>,
}

impl Series {
    fn say(&mut self, value: String) {
        match self.role {
            Role::Nothing => {}
            Role::Name if self.name.is_empty() => self.name = value,
            Role::Name => {
                self.name.push(' ');
                self.name.push_str(&value);
            }
            Role::Category => self.categories.push(value),
            Role::Value => self.values.push(value),
        }
    }

    fn write(self, markup: &mut Markup) {
        markup.text(&self.name);
        let mut categories = self.categories.into_iter();
        let mut values = self.values.into_iter();
        let mut separator = if self.name.is_empty() { "" } else { ": " };
        loop {
            let (category, value) = (categories.next(), values.next());
            if category.is_none() && value.is_none() {
                break;
            }
            markup.text(separator);
            markup.text(category.as_deref().unwrap_or_default());
            markup.blank();
            markup.text(value.as_deref().unwrap_or_default());
            separator = ", ";
        }
        markup.end_paragraph(&Block::Plain);
    }
}
