//! CSV as readable text: one record per line, fields separated by tabs.

use crate::input::charset::Charset;
use crate::input::encoding;
use crate::output::markdown;
use crate::output::pagination::Cut;
use crate::output::reply::Pages;
use dossier_extract::TextFormat;
use dossier_extract::protocol::Failure;
use std::collections::BTreeMap;
use std::io::Write;

const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];
/// How many records are used to guess the delimiter.
const SAMPLE_RECORDS: usize = 50;

/// Sends the records; the header remains the first line. In Markdown they form one table, and lines above it,
/// such as the title of a report, are paragraphs.
pub(crate) fn read<W: Write>(
    bytes: &[u8],
    said: Option<Charset>,
    format: TextFormat,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let text = encoding::decode(bytes, said)?;
    let (separator, text) = match said_delimiter(&text) {
        Some((delimiter, rest)) => (Some(delimiter), rest),
        None => (None, &*text),
    };
    let guess = likeliest(text);
    let delimiter = separator.or_else(|| Some(guess.as_ref()?.delimiter));
    let fields = guess.map_or(1, |guess| guess.fields);
    let mut readable = String::with_capacity(text.len());
    let mut in_table = false;
    for record in (Records { rest: text, delimiter }) {
        match format {
            TextFormat::Text => readable.push_str(record.join("\t").trim_end()),
            TextFormat::Markdown => {
                let is_before = !in_table && record.len() == 1 && fields > 1;
                if is_before {
                    markdown::line(&mut readable, record[0].trim());
                    readable.push('\n');
                } else {
                    push_row(&mut readable, &record, !std::mem::replace(&mut in_table, true));
                }
            }
        }
        readable.push('\n');
    }
    pages.push_long("csv", &readable, Cut::BetweenLines)
}

/// The delimiter from a line like `sep=;`, which Excel reads, and the text after that line.
fn said_delimiter(text: &str) -> Option<(char, &str)> {
    let after = text.strip_prefix("sep=")?;
    let delimiter = after.chars().next().filter(|c| !c.is_alphanumeric() && *c != '"')?;
    let rest = &after[delimiter.len_utf8()..];
    Some((delimiter, rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\r', '\n']))?))
}

/// A row of a Markdown table; the first one is the header.
fn push_row(out: &mut String, record: &[String], is_first: bool) {
    for field in record {
        out.extend(["| ", &field.replace('|', "\\|"), " "]);
    }
    out.push('|');
    if is_first {
        out.push('\n');
        out.extend(std::iter::repeat_n("| --- ", record.len()));
        out.push('|');
    }
}

/// Whether a text is CSV rather than prose: at least three records, all with the same number of fields.
pub(crate) fn looks_like_csv(text: &str) -> bool {
    likeliest(text).is_some_and(|guess| guess.records >= 3 && guess.uniform)
}

struct Guess {
    delimiter: char,
    records: usize,
    /// How many records have the most common number of fields.
    even: usize,
    uniform: bool,
    fields: usize,
}

/// The delimiter that gives the most even table, apart from titles above it and sums below it. If commas occur only
/// inside numbers, one per line, they are decimal commas.
fn likeliest(text: &str) -> Option<Guess> {
    let guesses = DELIMITERS.iter().filter_map(|delimiter| {
        let delimiter = *delimiter;
        let records: Vec<Vec<String>> = Records { rest: text, delimiter: Some(delimiter) }
            .filter(|record| record.iter().any(|field| !field.is_empty()))
            .take(SAMPLE_RECORDS)
            .collect();
        let mut counts = BTreeMap::new();
        records.iter().filter(|record| record.len() > 1).for_each(|record| {
            *counts.entry(record.len()).or_insert(0_usize) += 1;
        });
        let (fields, even) = counts.into_iter().max_by_key(|(fields, even)| (*even, *fields))?;
        let uniform = even == records.len();
        let is_decimal = delimiter == ',' && !uniform && records.iter().all(|record| is_decimal(record));
        (!is_decimal).then_some(Guess { delimiter, records: records.len(), even, uniform, fields })
    });
    guesses.max_by_key(|guess| (guess.uniform, guess.even * 1000 / guess.records.max(1), guess.fields))
}

/// Whether a record is at most one number, split at its decimal comma.
fn is_decimal(record: &[String]) -> bool {
    match record {
        [whole, decimals] => {
            whole.ends_with(|c: char| c.is_ascii_digit())
                && decimals.starts_with(|c: char| c.is_ascii_digit())
        }
        _ => record.len() < 2,
    }
}

/// Splits into records as RFC 4180 specifies. Malformed quoting is kept literally.
struct Records<'t> {
    rest: &'t str,
    /// `None` if each line is one field.
    delimiter: Option<char>,
}

impl Iterator for Records<'_> {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut record = Vec::new();
        let mut field = String::new();
        let mut quoted = false;
        let mut end = self.rest.len();
        let mut characters = self.rest.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' if quoted && characters.next_if(|(_, next)| *next == '"').is_some() => field.push('"'),
                '"' if quoted => quoted = false,
                '"' if field.trim().is_empty() => {
                    field.clear();
                    quoted = true;
                }
                '\r' if !quoted && characters.peek().is_some_and(|(_, next)| *next == '\n') => {}
                '\n' | '\r' if !quoted => {
                    end = at + 1;
                    break;
                }
                // A record is always one line of text, even if its fields contain line breaks.
                '\r' | '\n' | '\t' if quoted => field.push(' '),
                character if Some(character) == self.delimiter && !quoted => {
                    record.push(std::mem::take(&mut field));
                }
                character => field.push(character),
            }
        }
        record.push(field);
        self.rest = &self.rest[end..];
        Some(record)
    }
}
