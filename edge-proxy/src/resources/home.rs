//! `/`: a page that introduces the API and lists its paths.

use axum::response::{IntoResponse, Response};
use http::header;

const PAGE: &str = include_str!("home.html");

/// `GET /`.
pub(crate) async fn home() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, PAGE.replace("{version}", env!("CARGO_PKG_VERSION"))).into_response()
}
