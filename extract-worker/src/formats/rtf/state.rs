//! What a group of an RTF file inherits and restores, and where its words go.

use encoding_rs::Encoding;

/// Where words go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Text(Destination),
    /// The marker of a list item.
    Marker,
    /// A value of the document's information.
    Info(Field),
    /// The font table: what each font's bytes mean.
    Fonts,
    /// The style sheet: which styles are headings.
    Styles,
    /// Nowhere, but a group within may speak: a shape, whose text stands among its measures.
    Silent,
    /// Nowhere, nor from any group within.
    Skip,
}

/// The texts of a document, each with its own paragraphs and tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    Header,
    Body,
    /// A text box; it follows the paragraph that it hangs on.
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

/// What holds until the group ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) target: Target,
    /// What bytes mean.
    pub(super) encoding: &'static Encoding,
    /// How many characters after a `\u` stand for readers that do not know it.
    pub(super) fallback: u16,
    pub(super) is_hidden: bool,
    pub(super) is_deleted: bool,
    pub(super) paragraph: Paragraph,
}

impl State {
    /// Whether the reader of the document does not see these words.
    pub(super) fn is_unseen(&self) -> bool {
        self.is_hidden || self.is_deleted
    }
}

/// What holds until `\pard` or the group ends.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paragraph {
    pub(super) in_table: bool,
    /// Of a list, from 0.
    pub(super) level: u8,
    /// From 1; 0: no heading.
    pub(super) heading: u8,
}

/// The destination that a control word starts; `None`: the word starts none.
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
        // Properties of a formula: `mrPr`, `mctrlPr`; their values are no words.
        _ if word.starts_with('m') && word.ends_with("Pr") => Target::Skip,
        _ => return None,
    })
}

/// Whether a group that readers may ignore holds words all the same.
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
