//! `/healthz`: the process responds. `/readyz`: it can serve requests. If not, the response names what is missing.

use crate::app::App;
use crate::db::Caller;
use crate::http::{ApiError, Chain, NoKeys, Query, json};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::json as object;

const SCHEMA: &str =
    "select to_regprocedure('dossier.begin_upload(uuid, text, text, bigint, jsonb)') is not null";

/// `GET /healthz`.
pub(crate) async fn healthz(_: Query<NoKeys>) -> Response {
    json(StatusCode::OK, healthy())
}

/// The body of `/healthz` for an edge of this version.
pub(crate) fn healthy() -> String {
    object!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}).to_string()
}

/// `GET /readyz`.
pub(crate) async fn readyz(State(app): State<App>, _: Query<NoKeys>) -> Response {
    let (ready, database) = database(&app).await;
    let keys =
        app.verifier.jwks().map(|jwks| if jwks.len() > 0 { "ok" } else { "no public keys fetched yet" });
    // Notifications only save time: without them, jobs and documents are polled.
    let notifications = if app.events.listening() { "ok" } else { "not listening, polling" };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = object!({
        "status": if ready { "ok" } else { "not ready" },
        "checks": {"database": database, "keys": keys, "notifications": notifications},
    });
    json(status, body.to_string())
}

async fn database(app: &App) -> (bool, &'static str) {
    match app.db.rows(&Caller::service(), SCHEMA, &[]).await {
        Ok(rows) if matches!(crate::db::first(&rows), Ok(Some(true))) => (true, "ok"),
        Ok(_) => (false, "the schema dossier is missing: install the extension or the migration"),
        Err(crate::db::DbError::Identity(error)) => {
            tracing::warn!("not ready: {}", Chain(&error));
            (false, "the login role cannot become service_role: run dossier-edge check")
        }
        Err(error) => {
            // The conversion logs the cause. The response does not contain it.
            let _ = ApiError::from(error).into_problem();
            (false, "does not respond")
        }
    }
}
