//! Lists of rows that are sorted by time, a page at a time, as one JSON object.

use crate::app::App;
use crate::db::{Caller, Param};
use crate::http::{ApiError, Page};
use tokio_postgres::types::Type;

/// SQL: the time of the cursor, from `$1`.
pub(super) const BEFORE: &str = "'epoch'::timestamptz + $1::bigint * interval '1 microsecond'";

/// SQL: one page of a list as `{"<key>": […], "next": cursor or null}`. `rows` selects `json`, `created_at` and `id`
/// after the cursor (`$1` microseconds, `$2` id), newest first, and one row more than the page's length (`$3`), which
/// shows that there is a next page. An empty list is null unless `visible` holds.
pub(super) fn page_sql(key: &str, rows: &str, visible: &str) -> String {
    format!(
        "with page as ({rows}), \
         numbered as ( \
           select json, row_number() over (order by created_at desc, id desc) as n, count(*) over () as total, \
             (extract(epoch from created_at) * 1000000)::bigint || '.' || id as cursor \
           from page \
         ) \
         select case when count(*) > 0 or {visible} then json_build_object( \
           '{key}', coalesce(json_agg(json order by n) filter (where n <= $3), '[]'), \
           'next', max(cursor) filter (where n = $3 and total > $3)) end::text \
         from numbered"
    )
}

/// Runs a statement of [`page_sql`]; its further parameters follow the page's three.
pub(super) async fn page(
    app: &App,
    caller: &Caller,
    sql: &str,
    page: &Page,
    further: &[Param<'_>],
) -> Result<Option<String>, ApiError> {
    let (micros, id) = page.after.unzip();
    let mut params: Vec<Param<'_>> =
        vec![(&micros, Type::INT8), (&id, Type::UUID), (&page.limit, Type::INT8)];
    params.extend_from_slice(further);
    app.db.as_caller(caller).json(sql, &params).await
}
