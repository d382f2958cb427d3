//! Packs a session for a prompt.
//!
//! Invariant: every limit on a query is SQL's; here it is only passed on.

use crate::app::App;
use crate::auth::Claims;
use crate::db::DbError;
use crate::http::{ApiError, Id, Json, json};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use tokio_postgres::types::Type;

const PACK: &str =
    "select dossier.pack_context(session_id => $1, query => $2, max_tokens => coalesce($3, 8000))::text";

/// The body of `POST /api/sessions/{id}/pack`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pack {
    query: Option<String>,
    max_tokens: Option<i32>,
}

/// `POST /api/sessions/{id}/pack`.
pub(crate) async fn pack(
    State(app): State<App>,
    claims: Claims,
    Id(session): Id,
    Json(pack): Json<Pack>,
) -> Result<Response, ApiError> {
    let params =
        [(&session as _, Type::UUID), (&pack.query as _, Type::TEXT), (&pack.max_tokens as _, Type::INT4)];
    let packed = app
        .db
        .json(&claims.caller, PACK, &params)
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?;
    Ok(json(StatusCode::OK, packed.ok_or(DbError::NoRow)?))
}
