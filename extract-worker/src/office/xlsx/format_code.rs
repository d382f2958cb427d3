//! Number format codes such as `000-00`, `[$€-407] #,##0.00` or `ggge"年"m"月"`.
//!
//! Dates and times become ISO 8601 whatever their code, so that they can be found. Other numbers keep the digits
//! stored in the file, and take from the code only what is part of their meaning: leading zeros, currencies, units and
//! fractions.

use super::numbers::Shown;
use std::rc::Rc;

/// A format that adds something to the digits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Pattern {
    /// Text before and after the number.
    prefix: String,
    suffix: String,
    /// The minimum number of digits before the decimal point.
    least_digits: usize,
    /// Characters inside an integer, as in `000-00-0000`, each with the number of digits after it.
    marks: Vec<(usize, char)>,
    fraction: Option<Denominator>,
    /// The number itself is not displayed.
    is_words: bool,
}

/// The denominator of a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Denominator {
    /// Any with at most this many digits.
    Digits(u32),
    Fixed(u32),
}

/// Maximum length of a code.
const LONGEST_CODE: usize = 400;
/// Maximum number of digits before the decimal point.
const MOST_DIGITS: usize = 30;

/// How a code displays a positive number, to which its first section applies.
pub(super) fn shown(code: &str) -> Shown {
    let mut parser = Parser::default();
    let mut characters = code.chars().take(LONGEST_CODE).peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        match character {
            ';' => break,
            '"' => parser.literal(&characters.by_ref().take_while(|&c| c != '"').collect::<String>()),
            '\\' => parser.literal(&characters.next().map(String::from).unwrap_or_default()),
            // A gap of the width of the next character, or filled with it.
            '_' | '*' => {
                characters.next();
                parser.literal(" ");
            }
            '[' => {
                let within: String = characters.by_ref().take_while(|&c| c != ']').collect();
                if !within.is_empty()
                    && within.chars().all(|c| matches!(c, 'h' | 'H' | 'm' | 'M' | 's' | 'S'))
                {
                    return Shown::Elapsed;
                }
                // `[$€-407]` is a currency and a locale.
                if let Some(currency) = within.strip_prefix('$') {
                    parser.literal(currency.split('-').next().unwrap_or_default());
                }
            }
            '%' => return Shown::Percent,
            'E' | 'e' if matches!(characters.peek(), Some('+' | '-')) => return Shown::Number,
            'G' | 'g' if is_general(&mut characters) => parser.digits('#'),
            'A' | 'a' if matches!(characters.peek(), Some('M' | 'm' | '/')) => {
                // AM/PM or A/P belongs to hours.
                while characters.next_if(|c| matches!(c, 'M' | 'm' | '/' | 'P' | 'p')).is_some() {}
            }
            // Years, eras, days and weekdays. East Asian codes use `a` and `b`, other programs `j` and `n`.
            'y' | 'Y' | 'd' | 'D' | 'g' | 'G' | 'e' | 'E' | 'b' | 'B' | 'a' | 'A' | 'j' | 'J' | 'n' | 'N' => {
                parser.moment.has_date = true;
            }
            'h' | 'H' | 's' | 'S' => parser.moment.has_time = true,
            'm' | 'M' => parser.moment.has_month_or_minute = true,
            '0' | '#' | '?' => parser.digits(character),
            '1'..='9' if before == '/' || before.is_ascii_digit() => parser.denominator(character),
            '/' => parser.slash(),
            '.' => parser.point(),
            ',' => parser.comma(),
            '@' => return Shown::Number,
            other => parser.literal(other.encode_utf8(&mut [0; 4])),
        }
        before = character;
    }
    parser.finish()
}

/// Skips the rest of `General`, if the code continues with it.
fn is_general(characters: &mut std::iter::Peekable<impl Iterator<Item = char>>) -> bool {
    if characters.peek().is_none_or(|c| !c.eq_ignore_ascii_case(&'e')) {
        return false;
    }
    // `ge` is an era and its year, but `Gen` is always `General`.
    characters.next();
    if characters.peek().is_none_or(|c| !c.eq_ignore_ascii_case(&'n')) {
        return false;
    }
    while characters.next_if(char::is_ascii_alphabetic).is_some() {}
    true
}

/// The parts of a date or time in a code.
#[derive(Debug, Default)]
struct Moment {
    has_date: bool,
    has_time: bool,
    has_month_or_minute: bool,
}

#[derive(Debug, Default)]
struct Parser {
    moment: Moment,
    prefix: String,
    /// Literals since the last digit.
    after: String,
    /// The number of digits before the decimal point, and how many of them are zeros.
    places: usize,
    zeros: usize,
    has_point: bool,
    /// Literals between digits, each with the number of digits before it.
    marks: Vec<(usize, char)>,
    /// A comma after the last digit divides by a thousand.
    is_scaled: bool,
    has_slash: bool,
    denominator: u32,
    denominator_digits: u32,
}

impl Parser {
    fn literal(&mut self, words: &str) {
        let to = if self.places == 0 { &mut self.prefix } else { &mut self.after };
        to.push_str(words);
    }

    fn digits(&mut self, place: char) {
        if self.has_slash {
            self.denominator_digits += 1;
            self.after.clear();
            return;
        }
        if self.places > 0 && !self.has_point {
            let places = self.places;
            self.marks.extend(self.after.chars().map(|mark| (places, mark)));
        }
        self.after.clear();
        self.is_scaled = false;
        if !self.has_point {
            self.places += 1;
            self.zeros += usize::from(place == '0');
        }
    }

    fn denominator(&mut self, digit: char) {
        self.denominator = (self.denominator * 10).saturating_add(digit.to_digit(10).unwrap_or_default());
    }

    /// The slash of a fraction, or a literal one.
    fn slash(&mut self) {
        if self.places > 0 && !self.has_point && self.after.trim().is_empty() {
            self.has_slash = true;
        } else {
            self.literal("/");
        }
    }

    fn point(&mut self) {
        if self.places == 0 && self.prefix.is_empty() || self.places > 0 {
            self.has_point = true;
            self.places = self.places.max(1);
        } else {
            self.literal(".");
        }
    }

    fn comma(&mut self) {
        if self.places > 0 {
            self.is_scaled = true;
        } else {
            self.literal(",");
        }
    }

    fn finish(self) -> Shown {
        match (
            self.moment.has_date || (self.moment.has_month_or_minute && !self.moment.has_time),
            self.moment.has_time,
        ) {
            (true, true) => return Shown::DateAndTime,
            (true, false) => return Shown::Date,
            (false, true) => return Shown::Time,
            (false, false) => {}
        }
        let is_words = self.places == 0;
        if is_words && self.prefix.trim().is_empty() || self.is_scaled {
            return Shown::Number;
        }
        let fraction = match (self.has_slash, self.denominator) {
            (false, _) => None,
            (true, 0) => Some(Denominator::Digits(self.denominator_digits.clamp(1, 3))),
            (true, fixed) => Some(Denominator::Fixed(fixed)),
        };
        let places = self.places;
        let marks = if fraction.is_some() || self.has_point { Vec::new() } else { self.marks };
        let pattern = Pattern {
            prefix: self.prefix.trim_start().to_owned(),
            suffix: self.after.trim_end().to_owned(),
            least_digits: if fraction.is_some() { 0 } else { self.zeros.min(MOST_DIGITS) },
            marks: marks.into_iter().map(|(before, mark)| (places - before, mark)).collect(),
            fraction,
            is_words,
        };
        let says_nothing = Pattern { least_digits: pattern.least_digits.max(1), ..pattern.clone() }
            == Pattern { least_digits: 1, ..Pattern::default() };
        if says_nothing { Shown::Number } else { Shown::Pattern(Rc::new(pattern)) }
    }
}

impl Pattern {
    /// Formats a number, given its absolute value in `digits`.
    pub(super) fn show(&self, number: f64, digits: &str) -> String {
        let sign = if number < 0.0 { "-" } else { "" };
        if self.is_words {
            return if sign.is_empty() { self.prefix.clone() } else { format!("-{digits}") };
        }
        let shown = match self.fraction {
            Some(denominator) => fraction(number.abs(), denominator).unwrap_or_else(|| digits.to_owned()),
            None => self.padded(digits),
        };
        format!("{sign}{}{shown}{}", self.prefix, self.suffix)
    }

    fn padded(&self, digits: &str) -> String {
        let (whole, decimals) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        // Do not pad numbers with an exponent.
        if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return digits.to_owned();
        }
        let mut padded = "0".repeat(self.least_digits.saturating_sub(whole.len()));
        padded.push_str(whole);
        if self.marks.is_empty() || !decimals.is_empty() {
            return padded + decimals;
        }
        let length = padded.len();
        let mut marked = String::with_capacity(length + self.marks.len());
        for (index, digit) in padded.chars().enumerate() {
            let behind = length - index;
            if index > 0 {
                marked
                    .extend(self.marks.iter().filter(|(places, _)| *places == behind).map(|(_, mark)| mark));
            }
            marked.push(digit);
        }
        marked
    }
}

/// Formats `2.5` as `2 1/2`; `None` if the number is too large for a meaningful fraction.
fn fraction(number: f64, denominator: Denominator) -> Option<String> {
    if number >= 1e9 {
        return None;
    }
    let whole = number.trunc();
    let rest = number - whole;
    let (numerator, denominator) = match denominator {
        Denominator::Fixed(fixed) => ((rest * f64::from(fixed)).round(), fixed),
        Denominator::Digits(digits) => {
            // The nearest fraction, or the simplest of several.
            let of = |denominator: u32| (rest * f64::from(denominator)).round();
            let error = |denominator: u32| (rest - of(denominator) / f64::from(denominator)).abs();
            let best = (1..10_u32.pow(digits))
                .fold(1, |best, next| if error(next) + 1e-12 < error(best) { next } else { best });
            (of(best), best)
        }
    };
    let is_whole = numerator >= f64::from(denominator);
    let whole = if is_whole { whole + 1.0 } else { whole };
    Some(match (numerator == 0.0 || is_whole, whole == 0.0) {
        (true, _) => format!("{whole}"),
        (false, true) => format!("{numerator}/{denominator}"),
        (false, false) => format!("{whole} {numerator}/{denominator}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::office::xlsx::numbers::show;

    #[test]
    fn codes_tell_dates_from_numbers() {
        for (code, expected) in [
            ("General", Shown::Number),
            ("0.00E+00", Shown::Number),
            ("#,##0.00", Shown::Number),
            ("_-* #,##0_-;-* #,##0_-", Shown::Number),
            ("[Red]0;[Blue]-0", Shown::Number),
            ("0.0,,", Shown::Number),
            ("@", Shown::Number),
            ("0.0%", Shown::Percent),
            ("[$-409]d\\-mmm\\-yy;@", Shown::Date),
            ("mmmm", Shown::Date),
            ("yyyy\"年\"m\"月\"", Shown::Date),
            ("[$-411]ggge\"年\"m\"月\"d\"日\"", Shown::Date),
            ("[$-411]e.m.d", Shown::Date),
            ("[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", Shown::Date),
            ("[$-1070000]d/m/bbbb", Shown::Date),
            ("mm:ss.0", Shown::Time),
            ("h:mm AM/PM", Shown::Time),
            ("[$-F400]h:mm:ss\\ AM/PM", Shown::Time),
            ("dd/mm/yyyy hh:mm", Shown::DateAndTime),
            ("[h]:mm:ss", Shown::Elapsed),
            ("[mm]:ss", Shown::Elapsed),
        ] {
            assert_eq!(shown(code), expected, "{code}");
        }
    }

    #[test]
    fn codes_add_what_is_part_of_the_meaning() {
        for (code, number, expected) in [
            ("00000", "42", "00042"),
            ("000-00-0000", "12345678", "012-34-5678"),
            ("(000) 000-0000", "2125550123", "(212) 555-0123"),
            ("00.00", "1.5", "01.5"),
            ("[$€-407] #,##0.00", "1234.5", "€ 1234.5"),
            ("#,##0.00\\ [$€-1];-#,##0.00\\ [$€-1]", "-7", "-7 €"),
            ("\"$\"#,##0.00_);(\"$\"#,##0.00)", "1000", "$1000"),
            ("$#,##0", "5", "$5"),
            ("_(\"$\"* #,##0.00_);_(\"$\"* (#,##0.00)", "9", "$ 9"),
            ("0\" kg\"", "3", "3 kg"),
            ("General\" days\"", "1.25", "1.25 days"),
            ("#,##0.00\\ \"days\"", "2", "2 days"),
            ("# ?/?", "2.5", "2 1/2"),
            ("# ??/??", "0.3125", "5/16"),
            ("# ?/8", "1.25", "1 2/8"),
            ("?/?", "3", "3"),
            ("\"Yes\";\"Yes\";\"No\"", "1", "Yes"),
            ("00000", "1e300", "1E300"),
        ] {
            assert_eq!(show(number, &shown(code), false), expected, "{code}");
        }
    }
}
