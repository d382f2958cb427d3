//! Numbers as a sheet shows them: dates in ISO 8601, percentages, no binary rounding noise.

use super::format_code::Pattern;
use std::rc::Rc;

/// How the number of a cell is displayed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Shown {
    #[default]
    Number,
    Percent,
    Date,
    Time,
    DateAndTime,
    /// A duration; hours may exceed 24.
    Elapsed,
    /// With zeros, symbols or words that the format adds.
    Pattern(Rc<Pattern>),
}

const SECONDS_A_DAY: i64 = 86_400;
/// The serial number after 31 December 9999; larger numbers are not valid dates.
const END_OF_TIME: f64 = 2_958_466.0;
/// Days between the 1900 and 1904 date systems.
const DAYS_1900_TO_1904: f64 = 1462.0;

/// Formats the raw number of a cell as it is displayed.
pub(super) fn show(written: &str, shown: &Shown, from_1904: bool) -> String {
    let Ok(number) = written.trim().parse::<f64>() else { return written.to_owned() };
    let day = if from_1904 { number + DAYS_1900_TO_1904 } else { number };
    match shown {
        Shown::Percent => format!("{}%", decimal(number * 100.0)),
        Shown::Elapsed if number.abs() < END_OF_TIME => elapsed(number),
        Shown::Date | Shown::Time | Shown::DateAndTime if (0.0..END_OF_TIME).contains(&number) => {
            instant(day, shown)
        }
        Shown::Pattern(pattern) => pattern.show(number, &decimal(number.abs())),
        _ => decimal(number),
    }
}

/// Rounds to 15 digits, the precision of spreadsheets.
fn decimal(number: f64) -> String {
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    let size = rounded.abs();
    if size != 0.0 && !(1e-9..1e21).contains(&size) { format!("{rounded:E}") } else { rounded.to_string() }
}

#[allow(clippy::cast_possible_truncation, reason = "below the end of time")]
fn seconds(days: f64) -> i64 {
    (days * SECONDS_A_DAY as f64).round() as i64
}

fn instant(day: f64, shown: &Shown) -> String {
    let seconds = seconds(day);
    let (day, of_day) = (seconds.div_euclid(SECONDS_A_DAY), seconds.rem_euclid(SECONDS_A_DAY));
    let time = clock(of_day);
    match shown {
        _ if day == 0 => time,
        Shown::Time => time,
        Shown::DateAndTime => format!("{} {time}", date(day)),
        _ => date(day),
    }
}

fn elapsed(days: f64) -> String {
    let seconds = seconds(days);
    format!("{}{}", if seconds < 0 { "-" } else { "" }, clock(seconds.abs()))
}

fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Day 1 is 1 January 1900; day 60 is 29 February 1900, which did not exist.
fn date(day: i64) -> String {
    let since_1970 = day - if day < 60 { 25_568 } else { 25_569 };
    // Count from 1 March, so that leap days come at the end of a year. 400 years have 146,097 days.
    let shifted = since_1970 + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    format!("{:04}-{month:02}-{of_month:02}", year + year_of_era + era * 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown() {
        for (written, shown, expected) in [
            ("0.30000000000000004", Shown::Number, "0.3"),
            ("1234.5", Shown::Number, "1234.5"),
            ("-7", Shown::Number, "-7"),
            ("1e300", Shown::Number, "1E300"),
            ("0.125", Shown::Percent, "12.5%"),
            ("45413", Shown::Date, "2024-05-01"),
            ("45413.375", Shown::DateAndTime, "2024-05-01 09:00:00"),
            ("1", Shown::Date, "1900-01-01"),
            ("59", Shown::Date, "1900-02-28"),
            ("61", Shown::Date, "1900-03-01"),
            ("2958465", Shown::Date, "9999-12-31"),
            ("2958466", Shown::Date, "2958466"),
            ("0.75", Shown::Time, "18:00:00"),
            ("1.0625", Shown::Elapsed, "25:30:00"),
            ("NaN", Shown::Date, "NaN"),
            ("text", Shown::Date, "text"),
        ] {
            assert_eq!(show(written, &shown, false), expected, "{written}");
        }
        assert_eq!(show("43951", &Shown::Date, true), "2024-05-01");
    }
}
