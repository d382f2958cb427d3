//! Page labels: the file's own names for its pages (`iv`, `A-1`).

use super::super::unicode;
use super::line;
use super::trees::Tree;
use crate::output::numerals::Numeral;
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{Dict, Name, String as PdfString};

/// Maximum length of a prefix, in characters.
const LONGEST_PREFIX: usize = 100;

/// One label per page; empty if pages are simply numbered from 1.
pub(super) fn of(pdf: &Pdf, catalog: &Dict<'_>) -> Vec<String> {
    let Some(root) = catalog.get::<Dict<'_>>(b"PageLabels") else { return Vec::new() };
    let pages = pdf.pages().len();
    let mut labels = Vec::with_capacity(pages);
    let mut range = Range::default();
    for (first, value) in Tree::numbers(pdf.xref(), root) {
        let Ok(first) = usize::try_from(first.as_i64()) else { continue };
        // Ranges are sorted. One that is out of order would relabel earlier pages, so it is ignored.
        range.write(&mut labels, first.min(pages));
        range = value.resolve::<Dict<'_>>(pdf.xref()).map(|dict| Range::new(&dict)).unwrap_or_default();
    }
    range.write(&mut labels, pages);
    let is_plain = labels.iter().zip(1..).all(|(label, number): (&String, u64)| *label == number.to_string());
    if is_plain { Vec::new() } else { labels }
}

/// A range of pages with one numbering.
struct Range {
    numeral: Numeral,
    prefix: String,
    next: u32,
}

impl Default for Range {
    /// Pages before the first range.
    fn default() -> Self {
        Self { numeral: Numeral::Decimal, prefix: String::new(), next: 1 }
    }
}

impl Range {
    fn new(label: &Dict<'_>) -> Self {
        let numeral = match label.get::<Name<'_>>(b"S").as_deref() {
            Some(b"D") => Numeral::Decimal,
            Some(b"R") => Numeral::UpperRoman,
            Some(b"r") => Numeral::LowerRoman,
            Some(b"A") => Numeral::UpperLetter,
            Some(b"a") => Numeral::LowerLetter,
            _ => Numeral::Nothing,
        };
        let prefix = label.get::<PdfString<'_>>(b"P").and_then(|prefix| {
            Some(line(&unicode::decode(prefix.as_bytes()))?.chars().take(LONGEST_PREFIX).collect())
        });
        let next = label.get::<u32>(b"St").unwrap_or(1);
        Self { numeral, prefix: prefix.unwrap_or_default(), next }
    }

    /// Labels the pages up to this one.
    fn write(&mut self, labels: &mut Vec<String>, to: usize) {
        while labels.len() < to {
            labels.push(format!("{}{}", self.prefix, self.numeral.write(self.next)));
            self.next = self.next.saturating_add(1);
        }
    }
}
