//! Lists are returned in pages. A cursor is the sort key of the last row, so rows that are added or deleted between
//! two pages neither repeat nor hide others.

use super::Problem;
use uuid::Uuid;

const MAX_LIMIT: i64 = 200;
const DEFAULT_LIMIT: i64 = 50;
/// The year 10000, in microseconds since 1970. Postgres ends somewhat later, with an error.
const LATEST: i64 = 253_402_300_800_000_000;

/// `?limit=&after=` of a list that is sorted by time, newest first.
#[derive(Debug, Default)]
pub(crate) struct Paging {
    pub(crate) limit: Option<i64>,
    pub(crate) after: Option<String>,
}

/// Where a page begins, and how many rows it has at most.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: i64,
    /// Time (microseconds since 1970) and id of the last row of the previous page.
    pub(crate) after: Option<(i64, Uuid)>,
}

impl Paging {
    pub(crate) fn check(&self) -> Result<Page, Problem> {
        let after = match self.after.as_deref() {
            None | Some("") => None,
            Some(cursor) => Some(parse(cursor).ok_or_else(|| {
                Problem::bad_request("after is not a valid cursor")
                    .hint("Send the value of next from the previous page.")
            })?),
        };
        Ok(Page { limit: limit(self.limit)?, after })
    }
}

/// The length of a page, within bounds.
pub(crate) fn limit(limit: Option<i64>) -> Result<i64, Problem> {
    match limit {
        None => Ok(DEFAULT_LIMIT),
        Some(limit @ 1..=MAX_LIMIT) => Ok(limit),
        Some(limit) => Err(Problem::bad_request(format!("limit must be between 1 and {MAX_LIMIT}"))
            .details(format!("It is {limit}."))
            .hint("Request fewer rows, then the following ones with the value of next.")),
    }
}

fn parse(cursor: &str) -> Option<(i64, Uuid)> {
    let (micros, id) = cursor.split_once('.')?;
    let micros = micros.parse().ok().filter(|micros| (0..=LATEST).contains(micros))?;
    Some((micros, id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_and_limits_are_checked() {
        let page = |limit, after: Option<&str>| Paging { limit, after: after.map(str::to_owned) }.check();
        assert_eq!(page(None, None), Ok(Page { limit: 50, after: None }));
        let id = Uuid::nil();
        assert_eq!(page(Some(2), Some(&format!("17.{id}"))), Ok(Page { limit: 2, after: Some((17, id)) }));
        for limit in [0, -1, 201] {
            assert!(page(Some(limit), None).is_err());
        }
        for cursor in [
            "x",
            "17",
            "17.x",
            "x.00000000-0000-0000-0000-000000000000",
            "-1.00000000-0000-0000-0000-000000000000",
            "9223372036854775807.00000000-0000-0000-0000-000000000000",
        ] {
            assert!(page(None, Some(cursor)).is_err(), "{cursor}");
        }
    }
}
