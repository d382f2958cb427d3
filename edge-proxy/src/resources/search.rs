//! Search over pages and contexts.
//!
//! Invariant: every limit on a query is SQL's; here it is only passed on.

use crate::app::App;
use crate::auth::Claims;
use crate::db::DbError;
use crate::http::{ApiError, Json, Problem, Query, json};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use tokio_postgres::types::Type;
use uuid::Uuid;

const SEARCH: &str = "with page as (select row_number() over () as n, hit.* from dossier.search(query => $1, \
                      session_id => $2, organization_id => $3, limit_count => coalesce($4, 20), after => $5, \
                      media_type => $6, since => $7::timestamptz, until => $8::timestamptz) as hit) \
                      select json_build_object('results', coalesce(json_agg(json_build_object('kind', kind, \
                      'session_id', session_id, 'document_id', document_id, 'document_name', document_name, \
                      'page', page, 'rank', rank, 'snippet', snippet) order by n), '[]'), \
                      'next', max(cursor) filter (where n = coalesce($4, 20)))::text from page";
const MATCH: &str = "with page as (select row_number() over () as n, hit.* from dossier.match_pages(embedding => $1, \
                     session_id => $2, organization_id => $3, limit_count => coalesce($4, 20), media_type => $5, \
                     since => $6::timestamptz, until => $7::timestamptz) as hit) \
                     select json_build_object('results', coalesce(json_agg(json_build_object('kind', 'page', \
                     'session_id', session_id, 'document_id', document_id, 'document_name', document_name, \
                     'page', page, 'similarity', similarity, 'snippet', snippet) order by n), '[]'))::text from page";
const FUSE: &str = "with page as (select row_number() over () as n, hit.* from dossier.hybrid_search(embedding => $1, \
                    session_id => $2, organization_id => $3, limit_count => coalesce($4, 20), media_type => $5, \
                    since => $6::timestamptz, until => $7::timestamptz, query => $8) as hit) \
                    select json_build_object('results', coalesce(json_agg(json_build_object('kind', kind, \
                    'session_id', session_id, 'document_id', document_id, 'document_name', document_name, \
                    'page', page, 'rank', rank, 'text_place', text_place, 'embedding_place', embedding_place, \
                    'snippet', snippet) order by n), '[]'))::text from page";
/// `?q=` and where to look for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchQuery {
    q: Option<String>,
    session_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    limit: Option<i32>,
    after: Option<String>,
    media_type: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

/// The body of `POST /api/search`: what to look for, in words, by its embedding, or both; and where.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fused {
    query: Option<String>,
    embedding: Option<Vec<f32>>,
    session_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    limit: Option<i32>,
    after: Option<String>,
    media_type: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

/// `GET /api/search`.
pub(crate) async fn search(
    State(app): State<App>,
    claims: Claims,
    Query(search): Query<SearchQuery>,
) -> Result<Response, ApiError> {
    let params = [
        (&search.q as _, Type::TEXT),
        (&search.session_id as _, Type::UUID),
        (&search.organization_id as _, Type::UUID),
        (&search.limit as _, Type::INT4),
        (&search.after as _, Type::TEXT),
        (&search.media_type as _, Type::TEXT),
        (&search.since as _, Type::TEXT),
        (&search.until as _, Type::TEXT),
    ];
    let results = app
        .db
        .json(&claims.caller, SEARCH, &params)
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    Ok(json(StatusCode::OK, results.ok_or(DbError::NoRow)?))
}

/// `POST /api/search`.
pub(crate) async fn fuse(
    State(app): State<App>,
    claims: Claims,
    Json(fused): Json<Fused>,
) -> Result<Response, ApiError> {
    let Some(embedding) = fused.embedding else {
        let search = SearchQuery {
            q: fused.query,
            session_id: fused.session_id,
            organization_id: fused.organization_id,
            limit: fused.limit,
            after: fused.after,
            media_type: fused.media_type,
            since: fused.since,
            until: fused.until,
        };
        return self::search(State(app), claims, Query(search)).await;
    };
    if fused.after.is_some() {
        return Err(Problem::bad_request("after is for words alone: what an embedding finds is one page")
            .hint("Leave after out, and ask for more rows by limit.")
            .into());
    }
    let mut params = vec![
        (&embedding as _, Type::FLOAT4_ARRAY),
        (&fused.session_id as _, Type::UUID),
        (&fused.organization_id as _, Type::UUID),
        (&fused.limit as _, Type::INT4),
        (&fused.media_type as _, Type::TEXT),
        (&fused.since as _, Type::TEXT),
        (&fused.until as _, Type::TEXT),
    ];
    let statement = if fused.query.is_some() {
        params.push((&fused.query as _, Type::TEXT));
        FUSE
    } else {
        MATCH
    };
    let results = app
        .db
        .json(&claims.caller, statement, &params)
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    Ok(json(StatusCode::OK, results.ok_or(DbError::NoRow)?))
}
