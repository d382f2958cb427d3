//! `GET /api/uploads`: the caller's unfinished uploads.

use crate::app::App;
use crate::auth::Claims;
use crate::http::{ApiError, Paging, Query, json};
use crate::resources::list::{self, BEFORE, page_sql};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use std::sync::LazyLock;
use tokio_postgres::types::Type;
use utoipa::IntoParams;
use uuid::Uuid;

static LIST: LazyLock<String> = LazyLock::new(|| {
    let rows = format!(
        "select json_build_object('id', u.id, 'session_id', u.session_id, 'name', u.name, 'media_type', u.media_type, \
           'metadata', u.metadata, 'size_bytes', u.size_bytes, 'offset', u.stored_bytes, 'created_at', u.created_at, \
           'expires_at', u.expires_at) as json, u.created_at, u.id \
         from dossier.list_uploads(in_session => $4, limit_count => ($3 + 1)::integer, before => {BEFORE}, before_id => $2) as u"
    );
    page_sql("uploads", &rows, "true")
});

/// The query of `GET /api/uploads`.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ListQuery {
    /// Only uploads to this session.
    session_id: Option<Uuid>,
    /// How many rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// The `next` of the previous page.
    after: Option<String>,
}

/// `GET /api/uploads`.
pub(crate) async fn list(
    State(app): State<App>,
    claims: Claims,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let page = Paging { limit: query.limit, after: query.after }.check()?;
    let session = [(&query.session_id as _, Type::UUID)];
    let uploads = list::page(&app, &claims.caller, &LIST, &page, &session).await?;
    Ok(json(StatusCode::OK, uploads.unwrap_or_default()))
}
