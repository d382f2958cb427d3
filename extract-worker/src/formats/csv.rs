//! CSV as readable text: one record per line, fields separated by tabs.

use crate::input::encoding;
use crate::output::pagination::Cut;
use crate::output::reply::Pages;
use dossier_extract::TextFormat;
use dossier_extract::protocol::Failure;
use std::io::Write;

const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];
/// How many records are used to guess the delimiter.
const SAMPLE_RECORDS: usize = 50;

/// Sends the records; the header remains the first line. In Markdown they form one table.
pub(crate) fn read<W: Write>(bytes: &[u8], format: TextFormat, pages: &mut Pages<W>) -> Result<(), Failure> {
    let text = encoding::decode(bytes)?;
    let delimiter = likeliest(&text).map_or(',', |guess| guess.delimiter);
    let mut readable = String::with_capacity(text.len());
    for (index, record) in (Records { rest: &text, delimiter }).enumerate() {
        match format {
            TextFormat::Text => readable.push_str(record.join("\t").trim_end()),
            TextFormat::Markdown => push_row(&mut readable, &record, index == 0),
        }
        readable.push('\n');
    }
    pages.push_long("csv", &readable, Cut::BetweenLines)
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
    uniform: bool,
    fields: usize,
}

/// The delimiter that gives the most even table.
fn likeliest(text: &str) -> Option<Guess> {
    let guesses = DELIMITERS.iter().filter_map(|delimiter| {
        let widths: Vec<usize> = Records { rest: text, delimiter: *delimiter }
            .filter(|record| record.iter().any(|field| !field.is_empty()))
            .take(SAMPLE_RECORDS)
            .map(|record| record.len())
            .collect();
        let fields = *widths.first()?;
        let uniform = widths.iter().all(|width| *width == fields);
        (fields > 1).then_some(Guess { delimiter: *delimiter, records: widths.len(), uniform, fields })
    });
    guesses.max_by_key(|guess| (guess.uniform, guess.fields))
}

/// Splits into records as RFC 4180 specifies. Malformed quoting is kept literally.
struct Records<'t> {
    rest: &'t str,
    delimiter: char,
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
                '"' if field.is_empty() => quoted = true,
                '\r' if !quoted && characters.peek().is_some_and(|(_, next)| *next == '\n') => {}
                '\n' if !quoted => {
                    end = at + 1;
                    break;
                }
                // A record is always one line of text, even if its fields contain line breaks.
                '\r' | '\n' | '\t' if quoted => field.push(' '),
                character if character == self.delimiter && !quoted => {
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
