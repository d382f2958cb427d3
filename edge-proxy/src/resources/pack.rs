//! Packing a session for a prompt.
//!
//! Invariant: SQL checks every limit. The edge only passes the values on.

use crate::app::App;
use crate::auth::Claims;
use crate::http::{ApiError, Id, Json, NoKeys, Query, unchanged};
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use tokio_postgres::types::Type;
use utoipa::ToSchema;

const PACK: &str = "select dossier.pack_context(session_id => $1, query => $2, max_tokens => coalesce($3, 8000), \
                    embedding => $4)::text";

/// The body of `POST /api/sessions/{id}/pack`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PackRequest)]
pub(crate) struct Pack {
    /// Prefer pages that match.
    #[schema(min_length = 1, max_length = 1000)]
    query: Option<String>,
    /// How long the text may be, up to `max_pack_tokens` of `GET /api/limits`.
    #[schema(minimum = 1, default = 8000)]
    max_tokens: Option<i32>,
    embedding: Option<Vec<f32>>,
}

/// `POST /api/sessions/{id}/pack`.
pub(crate) async fn pack(
    State(app): State<App>,
    claims: Claims,
    Id(session): Id,
    _: Query<NoKeys>,
    Json(pack): Json<Pack>,
) -> Result<Response, ApiError> {
    let params = [
        (&session as _, Type::UUID),
        (&pack.query as _, Type::TEXT),
        (&pack.max_tokens as _, Type::INT4),
        (&pack.embedding as _, Type::FLOAT4_ARRAY),
    ];
    Ok(unchanged(app.db.as_caller(&claims.caller.long()).one(PACK, &params).await?))
}
