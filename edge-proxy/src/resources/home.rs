//! `/api`: a page that introduces the API and lists its paths. Also `/`, if the demo is not part of this build.

use axum::response::{IntoResponse, Response};
use http::header;

const PAGE: &str = include_str!("home.html");

/// Said at `/` if there is no demo to show.
pub(super) const NO_DEMO: &str = "<p>The demo is not part of this build. <code>./dev up</code> builds it. By hand: run \
     <code>npm ci</code> and <code>npm run build --workspace demo</code> in <code>client/</code>, then build the edge again.</p>";

/// `GET /api`.
pub(crate) async fn home() -> Response {
    page(None)
}

/// The page, with a notice.
pub(super) fn page(notice: Option<&str>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let page =
        PAGE.replace("{version}", env!("CARGO_PKG_VERSION")).replace("{notice}", notice.unwrap_or_default());
    (headers, page).into_response()
}
