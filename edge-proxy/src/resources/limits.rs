//! `GET /api/limits`: what uploads and contexts may have, the database's limits together with those of this edge.

use crate::app::App;
use crate::auth::Claims;
use crate::http::{ApiError, NoKeys, Query, json};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tokio_postgres::types::Type;

/// Of two limits on the same thing, the smaller one applies.
const READ: &str = "select (l || jsonb_build_object( \
                      'max_file_bytes', least((l ->> 'max_file_bytes')::bigint, $1), 'max_files_per_request', $2, \
                      'max_request_bytes', $3, 'max_json_bytes', $4))::text \
                    from dossier.limits() as l";

/// `GET /api/limits`.
pub(crate) async fn read(
    State(app): State<App>,
    claims: Claims,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let upload = &app.upload;
    let file_bytes = upload.max_bytes.map(whole);
    let (files, request_bytes) = (whole(upload.max_files as u64), whole(app.request_max_bytes));
    let json_bytes = whole(upload.json_max_bytes as u64);
    let params = [
        (&file_bytes as _, Type::INT8),
        (&files as _, Type::INT8),
        (&request_bytes as _, Type::INT8),
        (&json_bytes as _, Type::INT8),
    ];
    Ok(json(StatusCode::OK, app.db.as_caller(&claims.caller).one(READ, &params).await?))
}

/// As Postgres counts.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
