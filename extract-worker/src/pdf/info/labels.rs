//! Page labels: what a file calls its pages (`iv`, `A-1`).

use super::super::unicode;
use super::line;
use super::trees::Tree;
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{Dict, Name, String as PdfString};

/// Longest prefix, in characters.
const LONGEST_PREFIX: usize = 100;
/// Numbers beyond these are not written in letters, or in Roman numerals.
const MOST_LETTERS: u64 = 26 * 10;
const MOST_ROMAN: u64 = 3999;

/// A label for each page; none where the pages are simply counted from 1.
pub(super) fn of(pdf: &Pdf, catalog: &Dict<'_>) -> Vec<String> {
    let Some(root) = catalog.get::<Dict<'_>>(b"PageLabels") else { return Vec::new() };
    let pages = pdf.pages().len();
    let mut labels = Vec::with_capacity(pages);
    let mut range = Range::default();
    for (first, value) in Tree::numbers(pdf.xref(), root) {
        let Ok(first) = usize::try_from(first.as_i64()) else { continue };
        // Ranges are sorted; what comes too late is for pages that have their labels.
        range.write(&mut labels, first.min(pages));
        range = value.resolve::<Dict<'_>>(pdf.xref()).map(|dict| Range::new(&dict)).unwrap_or_default();
    }
    range.write(&mut labels, pages);
    let is_plain = labels.iter().zip(1..).all(|(label, number): (&String, u64)| *label == number.to_string());
    if is_plain { Vec::new() } else { labels }
}

/// Pages that are labelled in one go.
struct Range {
    style: Style,
    prefix: String,
    next: u64,
}

enum Style {
    None,
    Decimal,
    Roman { upper: bool },
    Letters { upper: bool },
}

impl Default for Range {
    /// Pages before the first range.
    fn default() -> Self {
        Self { style: Style::Decimal, prefix: String::new(), next: 1 }
    }
}

impl Range {
    fn new(label: &Dict<'_>) -> Self {
        let style = match label.get::<Name<'_>>(b"S").as_deref() {
            Some(b"D") => Style::Decimal,
            Some(b"R") => Style::Roman { upper: true },
            Some(b"r") => Style::Roman { upper: false },
            Some(b"A") => Style::Letters { upper: true },
            Some(b"a") => Style::Letters { upper: false },
            _ => Style::None,
        };
        let prefix = label.get::<PdfString<'_>>(b"P").and_then(|prefix| {
            Some(line(&unicode::decode(prefix.as_bytes()))?.chars().take(LONGEST_PREFIX).collect())
        });
        let next = label.get::<u32>(b"St").unwrap_or(1).into();
        Self { style, prefix: prefix.unwrap_or_default(), next }
    }

    /// Labels the pages up to that one.
    fn write(&mut self, labels: &mut Vec<String>, to: usize) {
        while labels.len() < to {
            labels.push(format!("{}{}", self.prefix, self.style.write(self.next)));
            self.next += 1;
        }
    }
}

impl Style {
    fn write(&self, number: u64) -> String {
        match *self {
            Self::None => String::new(),
            Self::Roman { upper } if (1..=MOST_ROMAN).contains(&number) => cased(roman(number), upper),
            Self::Letters { upper } if (1..=MOST_LETTERS).contains(&number) => cased(letters(number), upper),
            Self::Decimal | Self::Roman { .. } | Self::Letters { .. } => number.to_string(),
        }
    }
}

fn cased(lower: String, upper: bool) -> String {
    if upper { lower.to_ascii_uppercase() } else { lower }
}

/// `a` to `z`, then `aa`, `bb`: one letter, ever more often.
fn letters(number: u64) -> String {
    let index = number - 1;
    (0..=index / 26).filter_map(|_| char::from_digit(u32::try_from(index % 26).ok()? + 10, 36)).collect()
}

fn roman(mut number: u64) -> String {
    const NUMERALS: [(u64, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    let mut roman = String::new();
    for (value, numeral) in NUMERALS {
        while number >= value {
            roman.push_str(numeral);
            number -= value;
        }
    }
    roman
}
