//! `POST /api/uploads/explain`: which checks an upload would pass, before a byte of the file is sent.

use super::refusal::too_large;
use crate::app::App;
use crate::auth::Claims;
use crate::http::{ApiError, Json, NoKeys, Query, json};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio_postgres::types::Type;
use utoipa::ToSchema;
use uuid::Uuid;

/// The checks of the database, and the edge's own limit if it has one.
const EXPLAIN: &str = "with checked as ( \
                         select c.*, row_number() over () as place \
                         from dossier.explain_upload($1, $2, $3, $4, coalesce($5::jsonb, '{}')) as c \
                         union all \
                         select 'upload_max_bytes', $4 <= $6, 'setting UPLOAD_MAX_BYTES of this edge', \
                           case when $4 > $6 then 'PT413' end, case when $4 > $6 then $7 end, \
                           case when $4 > $6 then $8 end, case when $4 > $6 then $9 end, 1000 \
                         where $6 is not null and $4 is not null \
                       ) \
                       select json_build_object('allowed', bool_and(coalesce(passed, false)), \
                         'checks', json_agg(json_build_object('name', check_name, 'passed', passed, 'concerns', concerns, \
                           'code', code, 'message', message, 'details', detail, 'hint', hint) order by place))::text \
                       from checked";

/// The body of `POST /api/uploads/explain`: a file as it would be uploaded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlannedUpload)]
pub(crate) struct Planned {
    session_id: Option<Uuid>,
    name: Option<String>,
    media_type: Option<String>,
    size_bytes: Option<i64>,
    /// A JSON object. Anything else is a check that fails.
    #[schema(value_type = Value, required = false)]
    metadata: Option<Box<RawValue>>,
}

/// `POST /api/uploads/explain`.
pub(crate) async fn explain(
    State(app): State<App>,
    claims: Claims,
    _: Query<NoKeys>,
    Json(file): Json<Planned>,
) -> Result<Response, ApiError> {
    let metadata = file.metadata.as_ref().map(|metadata| metadata.get());
    let limit = app.upload.max_bytes.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let problem = too_large(app.upload.max_bytes.unwrap_or(u64::MAX));
    let params = [
        (&file.session_id as _, Type::UUID),
        (&file.name as _, Type::TEXT),
        (&file.media_type as _, Type::TEXT),
        (&file.size_bytes as _, Type::INT8),
        (&metadata as _, Type::TEXT),
        (&limit as _, Type::INT8),
        (&problem.message.as_ref() as _, Type::TEXT),
        (&problem.details.as_deref() as _, Type::TEXT),
        (&problem.hint.as_deref() as _, Type::TEXT),
    ];
    Ok(json(StatusCode::OK, app.db.as_caller(&claims.caller).one(EXPLAIN, &params).await?))
}
