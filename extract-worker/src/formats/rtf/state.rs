//! The state that an RTF group inherits and restores, and the destination of its text.

use crate::input::charset::Charset;

/// Where text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Text(Destination),
    /// The marker of a list item.
    Marker,
    /// A metadata value.
    Info(Field),
    /// The font table, which defines the encoding of each font.
    Fonts,
    /// The style sheet, which names the heading styles.
    Styles,
    /// Discarded, but nested groups may have a destination: a shape has its text among its measurements.
    Silent,
    /// Discarded, including nested groups.
    Skip,
}

/// The destinations with text; each has its own paragraphs and tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    Header,
    Body,
    /// A text box. It follows the paragraph to which it is anchored.
    Shape,
    Note,
    Comment,
    Footer,
}

impl Destination {
    /// In reading order.
    pub(super) const ALL: [Self; 6] =
        [Self::Header, Self::Body, Self::Shape, Self::Note, Self::Comment, Self::Footer];
}

/// The values of `\info` that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Title,
    Subject,
    Author,
    Keywords,
    Producer,
    Created,
    Modified,
}

/// State that applies until the group ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) target: Target,
    /// The charset of bytes.
    pub(super) encoding: Charset,
    /// How many characters after `\u` are a fallback for readers without Unicode.
    pub(super) fallback: u16,
    pub(super) is_hidden: bool,
    pub(super) is_deleted: bool,
    pub(super) paragraph: Paragraph,
}

impl State {
    /// Whether this text is invisible in the document.
    pub(super) fn is_unseen(&self) -> bool {
        self.is_hidden || self.is_deleted
    }
}

/// State that applies until `\pard` or the end of the group.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paragraph {
    pub(super) in_table: bool,
    /// List level, from 0.
    pub(super) level: u8,
    /// Heading level from 1; 0 if it is not a heading.
    pub(super) heading: u8,
}

/// The destination that a control word starts, if any.
pub(super) fn destination(word: &str) -> Option<Target> {
    Some(match word {
        "header" | "headerl" | "headerr" | "headerf" => Target::Text(Destination::Header),
        "footer" | "footerl" | "footerr" | "footerf" => Target::Text(Destination::Footer),
        "footnote" => Target::Text(Destination::Note),
        "annotation" => Target::Text(Destination::Comment),
        "shptxt" | "dptxbxtext" => Target::Text(Destination::Shape),
        "listtext" | "pntext" => Target::Marker,
        "title" => Target::Info(Field::Title),
        "subject" => Target::Info(Field::Subject),
        "author" => Target::Info(Field::Author),
        "keywords" => Target::Info(Field::Keywords),
        "generator" => Target::Info(Field::Producer),
        "creatim" => Target::Info(Field::Created),
        "revtim" => Target::Info(Field::Modified),
        "fonttbl" => Target::Fonts,
        "stylesheet" => Target::Styles,
        "info" | "shpinst" | "do" => Target::Silent,
        "colortbl" | "filetbl" | "pict" | "nonshppict" | "shprslt" | "objdata" | "objclass" | "objname"
        | "objalias" | "fldinst" | "datafield" | "formfield" | "xe" | "tc" | "rxe" | "txe" | "bkmkstart"
        | "bkmkend" | "ftnsep" | "ftnsepc" | "ftncn" | "aftnsep" | "aftnsepc" | "aftncn" | "nonesttables"
        | "private" | "template" | "mmathPict" | "panose" | "falt" | "fname" | "sp" => Target::Skip,
        // Properties of a formula, such as `mrPr` and `mctrlPr`. Their values are not text.
        _ if word.starts_with('m') && word.ends_with("Pr") => Target::Skip,
        _ => return None,
    })
}

/// Whether an optional group contains text that we want anyway.
pub(super) fn is_worth_reading(word: &str) -> bool {
    matches!(word, "moMath" | "moMathPara" | "nesttableprops" | "shppict")
}

/// The character that a control word stands for.
pub(super) fn character(word: &str) -> Option<&'static str> {
    Some(match word {
        "tab" => "\t",
        "emdash" => "—",
        "endash" => "–",
        "emspace" | "enspace" | "qmspace" => " ",
        "bullet" => "•",
        "lquote" => "‘",
        "rquote" => "’",
        "ldblquote" => "“",
        "rdblquote" => "”",
        "zwj" => "\u{200d}",
        "zwnj" => "\u{200c}",
        _ => return None,
    })
}
