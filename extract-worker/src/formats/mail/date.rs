//! The date of a mail.

/// Converts `Tue, 6 Feb 2024 10:00:00 +0100` to RFC 3339; `None` for anything else.
pub(super) fn rfc3339(date: &str) -> Option<String> {
    let date = date.split_once(',').map_or(date, |(_, rest)| rest);
    let date = date.split('(').next().unwrap_or_default();
    // `06-Feb-2024`, but not the minus of a zone.
    let mut parts = date.split_whitespace().flat_map(at_minus).filter(|part| !part.is_empty());
    let mut day_or_name = parts.next()?;
    // The name of the day may lack its comma.
    if day_or_name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        day_or_name = parts.next()?;
    }
    let day: u32 = day_or_name.parse().ok()?;
    let month = month(parts.next()?)?;
    let year = match parts.next()? {
        short if short.len() <= 3 => match short.parse::<u32>().ok()? {
            year @ ..50 => year + 2000,
            year => year + 1900,
        },
        year => year.parse().ok()?,
    };
    let mut time = parts.next()?.split(':');
    let mut number = || time.next().map_or(Some(0), |part| part.parse::<u32>().ok());
    let (hour, minute, second) = (number()?, number()?, number()?);
    let is_date = (1..=31).contains(&day) && (1000..=9999).contains(&year);
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let zone = zone(parts.next().unwrap_or("+0000"));
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}"))
}

fn at_minus(part: &str) -> [&str; 3] {
    let mut pieces = part.splitn(3, '-');
    match pieces.next() {
        Some("") | None => [part, "", ""],
        Some(first) => [first, pieces.next().unwrap_or_default(), pieces.next().unwrap_or_default()],
    }
}

fn month(name: &str) -> Option<u32> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let name = name.get(..3)?.to_ascii_lowercase();
    let index = MONTHS.iter().position(|month| *month == name)?;
    u32::try_from(index + 1).ok()
}

/// A time zone as `+01:00` or `Z`; unknown names count as UTC.
fn zone(zone: &str) -> String {
    let hours = match zone {
        "EST" | "CDT" => "-0500",
        "EDT" => "-0400",
        "CST" | "MDT" => "-0600",
        "MST" | "PDT" => "-0700",
        "PST" => "-0800",
        zone => zone,
    };
    let digits = hours.strip_prefix(['+', '-']).unwrap_or_default();
    let is_zone = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_zone || digits == "0000" || &digits[..2] > "23" || &digits[2..] > "59" {
        return "Z".to_owned();
    }
    format!("{}{}:{}", &hours[..1], &digits[..2], &digits[2..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_all_common_spellings() {
        for (written, expected) in [
            ("Tue, 6 Feb 2024 10:00:00 +0100", Some("2024-02-06T10:00:00+01:00")),
            ("Mon, 01 Jan 2024 10:00:00 +0000 (UTC)", Some("2024-01-01T10:00:00Z")),
            ("6 Feb 99 1:02 EST", Some("1999-02-06T01:02:00-05:00")),
            ("Tue 6 Feb 2024 10:00:00 -0330", Some("2024-02-06T10:00:00-03:30")),
            ("06-Feb-2024 10:00:00 GMT", Some("2024-02-06T10:00:00Z")),
            ("Tue, 6 Feb 2024 25:00:00", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(rfc3339(written).as_deref(), expected, "{written}");
        }
    }
}
