//! `numbering.xml`: the markers of list items, as Word shows them.
//!
//! Lists that share a definition continue each other's count, unless one of them sets its own start.

use super::styles::Styles;
use crate::office::symbol_fonts;
use crate::office::xml::{Element, Node, Xml};
use crate::output::numerals::Numeral;
use std::collections::{HashMap, HashSet};

/// The lists of a document and their counters.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    lists: Lists,
    /// Counters by definition.
    counts: HashMap<u32, [Option<u32>; LEVELS]>,
    /// Lists and levels whose own start value has been applied.
    begun: HashSet<(u32, usize)>,
}

/// The content of the part.
#[derive(Debug, Default)]
struct Lists {
    definitions: HashMap<u32, Definition>,
    lists: HashMap<u32, List>,
}

/// `w:abstractNum`.
#[derive(Debug, Default)]
struct Definition {
    levels: [Option<Level>; LEVELS],
    /// The list style that defines the levels instead.
    style: Option<String>,
}

/// `w:num`: a list, and its overrides of the definition.
#[derive(Debug, Default)]
struct List {
    definition: u32,
    levels: Vec<(usize, Level)>,
    starts: Vec<(usize, u32)>,
}

#[derive(Debug, Clone)]
struct Level {
    start: u32,
    numeral: Numeral,
    is_bullet: bool,
    /// The pattern, such as `%1.%2`, with placeholders for the number of each level.
    text: String,
    /// The level (from 1) after which counting restarts; 0 means never.
    restart: Option<usize>,
    /// Whether all numbers are decimal.
    is_legal: bool,
    /// The paragraph style of this level.
    style: Option<String>,
}

const LEVELS: usize = 9;
/// Maximum number of lists; no real document has more.
const MOST_LISTS: usize = 20_000;
/// Maximum length of a marker pattern, in characters.
const LONGEST_PATTERN: usize = 100;

impl Numbering {
    pub(super) fn new(xml: &str) -> Self {
        let mut found = Lists::default();
        let mut xml = Xml::new(xml);
        while let Some(node) = xml.next() {
            let Node::Start(element) = node else { continue };
            if element.is("w", "abstractNum") && found.definitions.len() < MOST_LISTS {
                let definition = Definition::read(&mut xml);
                found.definitions.insert(element.number("abstractNumId").unwrap_or_default(), definition);
            } else if element.is("w", "num") && found.lists.len() < MOST_LISTS {
                let list = List::read(&mut xml);
                found.lists.insert(element.number("numId").unwrap_or_default(), list);
            }
        }
        Self { lists: found, ..Self::default() }
    }

    /// The level of a list that is linked to a paragraph style.
    pub(super) fn level_of(&self, list: u32, style: &str, styles: &Styles) -> Option<u8> {
        let (_, definition) = self.lists.definition(list, styles)?;
        let is_its =
            |level: &Option<Level>| level.as_ref().is_some_and(|l| l.style.as_deref() == Some(style));
        definition.levels.iter().position(is_its).and_then(|level| u8::try_from(level).ok())
    }

    /// Counts an item and returns its marker, if it has one.
    pub(super) fn next(&mut self, list: u32, level: u8, styles: &Styles) -> Option<String> {
        let at = usize::from(level).min(LEVELS - 1);
        let (id, definition) = self.lists.definition(list, styles)?;
        let own = self.lists.lists.get(&list)?;
        let level_at = |at: usize| own.level(at).or(definition.levels[at].as_ref());
        let level = level_at(at)?;
        let counts = self.counts.entry(id).or_default();
        if let Some(start) = own.start(at)
            && self.begun.insert((list, at))
        {
            counts[at] = Some(start);
        } else {
            counts[at] = Some(counts[at].map_or(level.start, |count| count.saturating_add(1)));
        }
        // A skipped level counts as started.
        for (above, count) in counts.iter_mut().enumerate().take(at) {
            *count = count.or_else(|| level_at(above).map(|level| level.start));
        }
        for (below, count) in counts.iter_mut().enumerate().skip(at + 1) {
            let restart = level_at(below).and_then(|level| level.restart).unwrap_or(below);
            if at < restart {
                *count = None;
            }
        }
        if level.is_bullet {
            return Some(level.text.clone()).filter(|text| !text.is_empty());
        }
        let number = |above: usize| {
            let of = level_at(above)?;
            let numeral = match of.numeral {
                Numeral::Nothing => Numeral::Nothing,
                _ if level.is_legal => Numeral::Decimal,
                numeral => numeral,
            };
            Some(numeral.write(counts[above].unwrap_or(of.start)))
        };
        Some(fill(&level.text, number)).filter(|text| !text.trim().is_empty())
    }
}

impl Lists {
    /// The definition of a list, and its index.
    fn definition(&self, list: u32, styles: &Styles) -> Option<(u32, &Definition)> {
        let id = self.lists.get(&list)?.definition;
        let definition = self.definitions.get(&id)?;
        let Some(style) = &definition.style else { return Some((id, definition)) };
        // A list style refers to the list that defines its levels.
        let id = self.lists.get(&styles.list_of(style)?)?.definition;
        Some((id, self.definitions.get(&id)?))
    }
}

impl Definition {
    fn read(xml: &mut Xml<'_>) -> Self {
        let mut found = Self::default();
        xml.children(|xml, child| match child.name() {
            "lvl" => {
                let at: usize = child.number("ilvl").unwrap_or_default();
                let level = Level::read(xml);
                if let Some(place) = found.levels.get_mut(at) {
                    *place = Some(level);
                }
            }
            "numStyleLink" => found.style = child.attribute("val"),
            _ => {}
        });
        found
    }
}

impl List {
    fn read(xml: &mut Xml<'_>) -> Self {
        let mut found = Self::default();
        xml.children(|xml, child| match child.name() {
            "abstractNumId" => found.definition = child.number("val").unwrap_or_default(),
            "lvlOverride" => {
                let at: usize = child.number("ilvl").unwrap_or_default();
                if at >= LEVELS || found.levels.len() + found.starts.len() > 2 * LEVELS {
                    return;
                }
                xml.children(|xml, child| match child.name() {
                    "startOverride" => found.starts.extend(child.number("val").map(|start| (at, start))),
                    "lvl" => found.levels.push((at, Level::read(xml))),
                    _ => {}
                });
            }
            _ => {}
        });
        found
    }

    fn level(&self, at: usize) -> Option<&Level> {
        self.levels.iter().find(|(level, _)| *level == at).map(|(_, level)| level)
    }

    fn start(&self, at: usize) -> Option<u32> {
        self.starts.iter().find(|(level, _)| *level == at).map(|(_, start)| *start)
    }
}

impl Level {
    fn read(xml: &mut Xml<'_>) -> Self {
        let mut found = Self {
            start: 0,
            numeral: Numeral::Decimal,
            is_bullet: false,
            text: String::new(),
            restart: None,
            is_legal: false,
            style: None,
        };
        let (mut font, mut is_picture) = (String::new(), false);
        xml.children(|xml, child| match child.name() {
            "start" => found.start = child.number("val").unwrap_or_default(),
            "numFmt" => {
                found.is_bullet = child.attribute("val").is_some_and(|format| format == "bullet");
                found.numeral = numeral(child);
            }
            "lvlText" => {
                let text = child.attribute("val").unwrap_or_default();
                found.text = text.chars().take(LONGEST_PATTERN).collect();
            }
            "lvlRestart" => found.restart = child.number("val"),
            "isLgl" => found.is_legal = child.flag("val").unwrap_or(true),
            "pStyle" => found.style = child.attribute("val"),
            "lvlPicBulletId" => is_picture = true,
            "rPr" => xml.children(|_, child| {
                if child.is("w", "rFonts") {
                    font = child.attribute("ascii").or_else(|| child.attribute("hAnsi")).unwrap_or_default();
                }
            }),
            _ => {}
        });
        if found.is_bullet {
            found.text = bullet(&font, &found.text, is_picture);
        }
        found
    }
}

/// A bullet that every font has. Letters (`o` in Courier) and pictures serve as bullets in Word.
fn bullet(font: &str, text: &str, is_picture: bool) -> String {
    let Some(first) = text.trim().chars().next() else {
        return if is_picture { "•".to_owned() } else { String::new() };
    };
    let is_private = |c: char| matches!(c, '\u{e000}'..='\u{f8ff}');
    let sign = symbol_fonts::character(font, first.into()).unwrap_or(first);
    if is_picture || sign.is_alphanumeric() || is_private(sign) { "•".to_owned() } else { sign.to_string() }
}

/// Fills in a pattern; `number` returns the number of a level, from 0.
fn fill(pattern: &str, number: impl Fn(usize) -> Option<String>) -> String {
    let mut out = String::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        let level = characters.peek().and_then(|next| next.to_digit(10)).filter(|level| *level > 0);
        match (character, level) {
            ('%', Some(level)) => {
                characters.next();
                out.push_str(&number(level as usize - 1).unwrap_or_default());
            }
            _ => out.push(character),
        }
    }
    out.trim().to_owned()
}

/// `w:numFmt`. Rare formats are written in decimal, as some versions of Word do.
pub(super) fn numeral(format: &Element<'_>) -> Numeral {
    match format.attribute("val").unwrap_or_default().as_str() {
        "decimalZero" => Numeral::DecimalZero,
        "custom" if format.attribute("format").is_some_and(|f| f.starts_with("01")) => Numeral::DecimalZero,
        "decimalFullWidth" | "decimalFullWidth2" => Numeral::FullWidth,
        "decimalEnclosedCircle" | "decimalEnclosedCircleChinese" => Numeral::Circled,
        "ordinal" => Numeral::Ordinal,
        "lowerRoman" => Numeral::LowerRoman,
        "upperRoman" => Numeral::UpperRoman,
        "lowerLetter" => Numeral::LowerLetter,
        "upperLetter" => Numeral::UpperLetter,
        "russianLower" => Numeral::LowerRussian,
        "russianUpper" => Numeral::UpperRussian,
        "chineseCounting"
        | "chineseCountingThousand"
        | "japaneseCounting"
        | "taiwaneseCounting"
        | "taiwaneseCountingThousand" => Numeral::Chinese,
        "ideographDigital" | "japaneseDigitalTenThousand" | "taiwaneseDigital" => Numeral::ChineseDigits,
        "aiueo" | "aiueoFullWidth" => Numeral::Katakana,
        "ganada" => Numeral::Hangul,
        "hebrew1" | "hebrew2" => Numeral::Hebrew,
        "arabicAlpha" => Numeral::Arabic,
        "none" | "bullet" => Numeral::Nothing,
        _ => Numeral::Decimal,
    }
}
