//! Which cells show dates, times and percentages, according to the number formats of their styles.

use super::numbers::Shown;
use crate::office::xml::{Node, Xml};
use std::collections::HashMap;

/// How cells of each style display numbers.
#[derive(Debug, Default)]
pub(super) struct Styles {
    shown: Vec<Shown>,
}

impl Styles {
    pub(super) fn new(xml: &str) -> Self {
        let mut formats: HashMap<u32, Shown> = HashMap::new();
        let mut styles = Self::default();
        let mut in_cell_formats = false;
        let mut reader = Xml::new(xml);
        while let Some(node) = reader.next() {
            match node {
                Node::Start(element) if element.is("x", "numFmt") => {
                    let code = element.attribute("formatCode").unwrap_or_default();
                    formats.insert(element.number("numFmtId").unwrap_or_default(), of_code(&code));
                }
                Node::Start(element) if element.is("x", "cellXfs") => in_cell_formats = true,
                Node::End(end) if end.is("x", "cellXfs") => in_cell_formats = false,
                Node::Start(element) if in_cell_formats && element.is("x", "xf") => {
                    let id = element.number("numFmtId").unwrap_or_default();
                    styles.shown.push(formats.get(&id).copied().unwrap_or_else(|| built_in(id)));
                }
                Node::Start(_) | Node::End(_) | Node::Text(_) => {}
            }
        }
        styles
    }

    pub(super) fn get(&self, index: usize) -> Shown {
        self.shown.get(index).copied().unwrap_or_default()
    }
}

/// The built-in formats, including those of East Asian editions.
fn built_in(id: u32) -> Shown {
    match id {
        9 | 10 => Shown::Percent,
        14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58 => Shown::Date,
        18..=21 | 32..=35 | 45 | 47 | 55 | 56 => Shown::Time,
        22 => Shown::DateAndTime,
        46 => Shown::Elapsed,
        _ => Shown::Number,
    }
}

/// How a format code displays a positive number, to which its first section applies.
fn of_code(code: &str) -> Shown {
    let (mut date, mut time, mut month_or_minute) = (false, false, false);
    let mut characters = code.chars();
    while let Some(character) = characters.next() {
        match character.to_ascii_lowercase() {
            ';' => break,
            '"' => drop(characters.by_ref().find(|&c| c == '"')),
            '\\' | '_' | '*' => drop(characters.next()),
            '[' => {
                let within: String = characters.by_ref().take_while(|&c| c != ']').collect();
                if !within.is_empty()
                    && within.chars().all(|c| matches!(c, 'h' | 'H' | 'm' | 'M' | 's' | 'S'))
                {
                    return Shown::Elapsed;
                }
            }
            '%' => return Shown::Percent,
            'y' | 'd' => date = true,
            'h' | 's' => time = true,
            'm' => month_or_minute = true,
            // `General` and `E+00` do not denote dates; AM/PM belongs to hours.
            'g' | 'e' if !date => return Shown::Number,
            _ => {}
        }
    }
    match (date || (month_or_minute && !time), time) {
        (true, true) => Shown::DateAndTime,
        (true, false) => Shown::Date,
        (false, true) => Shown::Time,
        (false, false) => Shown::Number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_dates_from_numbers() {
        for (code, expected) in [
            ("General", Shown::Number),
            ("0.00E+00", Shown::Number),
            ("#,##0.00\\ \"days\"", Shown::Number),
            ("[Red]0;[Blue]-0", Shown::Number),
            ("0.0%", Shown::Percent),
            ("[$-409]d\\-mmm\\-yy;@", Shown::Date),
            ("mmmm", Shown::Date),
            ("yyyy\"年\"m\"月\"", Shown::Date),
            ("mm:ss.0", Shown::Time),
            ("h:mm AM/PM", Shown::Time),
            ("dd/mm/yyyy hh:mm", Shown::DateAndTime),
            ("[h]:mm:ss", Shown::Elapsed),
        ] {
            assert_eq!(of_code(code), expected, "{code}");
        }
    }
}
