//! Search over pages and contexts, by words, by embeddings, or by both.
//!
//! Invariant: SQL checks every limit on a query. The edge only passes the values on.

use crate::app::App;
use crate::auth::Claims;
use crate::db::Param;
use crate::http::{ApiError, Json, NoKeys, Problem, Query, unchanged};
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use std::sync::LazyLock;
use tokio_postgres::types::Type;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// SQL: the arguments that every search function takes. `$1` is the function's own first one, `$8` its last.
const SCOPE: &str = "session_id => $2, organization_id => $3, limit_count => coalesce($4, 20), media_type => $5, \
                     since => $6::timestamptz, until => $7::timestamptz";

/// SQL: the words of the query that a result contains and lacks, and those that were corrected.
const WORDS: &str = "'contained', contained, 'missing', missing, 'corrected', corrected";

static BY_WORDS: LazyLock<String> = LazyLock::new(|| {
    let call = format!("dossier.search(query => $1, {SCOPE}, after => $8)");
    results(
        &call,
        &format!("'kind', kind, 'rank', rank, {WORDS}"),
        ", 'next', max(cursor) filter (where n = coalesce($4, 20))",
    )
});
static BY_EMBEDDING: LazyLock<String> = LazyLock::new(|| {
    let call = format!("dossier.match_pages(embedding => $1, {SCOPE})");
    results(&call, "'kind', 'page', 'similarity', similarity", "")
});
static BY_BOTH: LazyLock<String> = LazyLock::new(|| {
    let call = format!("dossier.hybrid_search(embedding => $1, {SCOPE}, query => $8)");
    results(
        &call,
        &format!(
            "'kind', kind, 'rank', rank, 'text_place', text_place, 'embedding_place', embedding_place, {WORDS}"
        ),
        "",
    )
});

/// SQL: the rows of `call` as `{"results": […]}`. `own` and `end` are the keys that only this search has, in each result
/// and after the list.
fn results(call: &str, own: &str, end: &str) -> String {
    format!(
        "with found as (select row_number() over () as n, hit.* from {call} as hit) \
         select json_build_object('results', coalesce(json_agg(json_build_object( \
           {own}, 'session_id', session_id, 'document_id', document_id, 'document_name', document_name, \
           'page', page, 'snippet', snippet, 'heading', heading) order by n), '[]'){end})::text \
         from found"
    )
}

/// The query of `GET /api/search`.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct WordSearch {
    /// Words, `"a phrase"`, `-not`, `prefix*`.
    #[param(required, min_length = 1, max_length = 1000)]
    q: Option<String>,
    /// Only in this session.
    session_id: Option<Uuid>,
    /// Only in this organization.
    organization_id: Option<Uuid>,
    /// How many results at most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i32>,
    /// The `next` of the previous page.
    after: Option<String>,
    /// Only documents of this type: `application/pdf`, or `image/*`.
    #[param(pattern = r"^[A-Za-z0-9!#$&^_.+*-]+/[A-Za-z0-9!#$&^_.+*-]+$")]
    media_type: Option<String>,
    /// Only what was added or saved since then: a date, or a time as in RFC 3339.
    since: Option<String>,
    /// Only what was added or saved before then: a date, or a time as in RFC 3339.
    until: Option<String>,
}

/// The body of `POST /api/search`: words, an embedding, or both, and where to search.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// Words, `"a phrase"`, `-not`, `prefix*`. Optional if there is an embedding.
    #[schema(min_length = 1, max_length = 1000)]
    query: Option<String>,
    /// An embedding of the query.
    embedding: Option<Vec<f32>>,
    session_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    #[schema(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i32>,
    /// The `next` of the previous page. Not with an embedding.
    after: Option<String>,
    /// Only documents of this type: `application/pdf`, or `image/*`.
    #[schema(pattern = r"^[A-Za-z0-9!#$&^_.+*-]+/[A-Za-z0-9!#$&^_.+*-]+$")]
    media_type: Option<String>,
    /// Only what was added or saved since then: a date, or a time as in RFC 3339.
    since: Option<String>,
    /// Only what was added or saved before then: a date, or a time as in RFC 3339.
    until: Option<String>,
}

/// `GET /api/search`.
pub(crate) async fn by_words(
    State(app): State<App>,
    claims: Claims,
    Query(search): Query<WordSearch>,
) -> Result<Response, ApiError> {
    let WordSearch { q, session_id, organization_id, limit, after, media_type, since, until } = search;
    let search = Search {
        query: q,
        embedding: None,
        session_id,
        organization_id,
        limit,
        after,
        media_type,
        since,
        until,
    };
    run(&app, &claims, &search).await
}

/// `POST /api/search`.
pub(crate) async fn by_words_or_embedding(
    State(app): State<App>,
    claims: Claims,
    _: Query<NoKeys>,
    Json(search): Json<Search>,
) -> Result<Response, ApiError> {
    if search.embedding.is_some() && search.after.is_some() {
        return Err(Problem::bad_request("after is not supported with an embedding")
            .details("A search by embedding has a single page.")
            .hint("Omit after, and set limit to the number of results that you need.")
            .into());
    }
    run(&app, &claims, &search).await
}

async fn run(app: &App, claims: &Claims, search: &Search) -> Result<Response, ApiError> {
    let scope: [Param<'_>; 6] = [
        (&search.session_id, Type::UUID),
        (&search.organization_id, Type::UUID),
        (&search.limit, Type::INT4),
        (&search.media_type, Type::TEXT),
        (&search.since, Type::TEXT),
        (&search.until, Type::TEXT),
    ];
    let (sql, first, last): (_, Param<'_>, Option<Param<'_>>) = match (&search.embedding, &search.query) {
        (None, query) => (&BY_WORDS, (query, Type::TEXT), Some((&search.after, Type::TEXT))),
        (Some(embedding), None) => (&BY_EMBEDDING, (embedding, Type::FLOAT4_ARRAY), None),
        (Some(embedding), query) => (&BY_BOTH, (embedding, Type::FLOAT4_ARRAY), Some((query, Type::TEXT))),
    };
    let params: Vec<_> = [first].into_iter().chain(scope).chain(last).collect();
    let results = app.db.as_caller(&claims.caller.long()).one(sql, &params).await.map_err(malformed_time)?;
    Ok(unchanged(results))
}

/// Only `since` and `until` are cast to times. Postgres would name its own types.
fn malformed_time(error: ApiError) -> ApiError {
    match error {
        ApiError::Refused(problem) if matches!(&*problem.code, "22007" | "22008" | "22009") => Problem {
            message: "since or until is not a valid time".into(),
            hint: Some("Send a date, or a time as in RFC 3339, such as 2026-12-01T09:30:00Z.".into()),
            ..problem
        }
        .into(),
        error => error,
    }
}
