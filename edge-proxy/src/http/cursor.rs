//! Lists come in pages. A cursor is the sort key of the last row: rows that come or go in between neither
//! repeat nor hide others.

use super::Problem;
use uuid::Uuid;

const LONGEST: i64 = 200;
const USUAL: i64 = 50;

/// `?limit=&after=` of a list that is sorted by time, newest first.
#[derive(Debug, Default)]
pub(crate) struct Paging {
    pub(crate) limit: Option<i64>,
    pub(crate) after: Option<String>,
}

/// Where a page begins and how long it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: i64,
    /// Time (microseconds since 1970) and id of the last row seen.
    pub(crate) after: Option<(i64, Uuid)>,
}

impl Paging {
    pub(crate) fn check(&self) -> Result<Page, Problem> {
        let after = match self.after.as_deref() {
            None | Some("") => None,
            Some(cursor) => Some(parse(cursor).ok_or_else(|| {
                Problem::bad_request("after is not a cursor").hint("Send what the page before gave as next.")
            })?),
        };
        Ok(Page { limit: limit(self.limit)?, after })
    }
}

/// A page's length, within bounds.
pub(crate) fn limit(limit: Option<i64>) -> Result<i64, Problem> {
    match limit {
        None => Ok(USUAL),
        Some(limit @ 1..=LONGEST) => Ok(limit),
        Some(_) => Err(Problem::bad_request(format!("limit must be from 1 to {LONGEST}"))
            .hint("Ask for fewer rows, and for the next ones with what the page gave as next.")),
    }
}

fn parse(cursor: &str) -> Option<(i64, Uuid)> {
    let (micros, id) = cursor.split_once('.')?;
    Some((micros.parse().ok()?, id.parse().ok()?))
}

/// SQL: the condition that a row is behind the cursor in `$1` (microseconds) and `$2` (id), the length in
/// `$3`, for rows of alias `$row`.
macro_rules! behind_cursor {
    ($row:literal) => {
        concat!(
            "($1::bigint is null or (",
            $row,
            ".created_at, ",
            $row,
            ".id) < ('epoch'::timestamptz + $1 * interval '1 microsecond', $2::uuid)) \
             order by ",
            $row,
            ".created_at desc, ",
            $row,
            ".id desc limit $3 + 1"
        )
    };
}

/// SQL: a page as a JSON object, from rows `page(json, created_at, id)`, of which there is one more than
/// `$3` when the page is not the last.
macro_rules! page_json {
    ($key:literal) => {
        concat!(
            "json_build_object('",
            $key,
            "', coalesce(json_agg(json order by n) filter (where n <= $3), '[]'), \
             'next', max(cursor) filter (where n = $3 and total > $3))"
        )
    };
}

/// SQL: numbers the rows of `page`.
macro_rules! numbered {
    () => {
        "select json, row_number() over (order by created_at desc, id desc) as n, count(*) over () as total, \
         (extract(epoch from created_at) * 1000000)::bigint || '.' || id as cursor from page"
    };
}

pub(crate) use {behind_cursor, numbered, page_json};

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
        for cursor in ["x", "17", "17.x", "x.00000000-0000-0000-0000-000000000000"] {
            assert!(page(None, Some(cursor)).is_err(), "{cursor}");
        }
    }
}
