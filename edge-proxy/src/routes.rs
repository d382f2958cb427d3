//! The API's URLs, and the handling that all requests share.

use crate::app::App;
use crate::auth::{SeenUser, USER_HEADER};
use crate::http::{ApiError, Chain, Problem, REQUEST_ID, conditional_read, without_version};
use crate::resources::upload::tus;
use crate::resources::{
    context, demo, documents, events, health, home, limits, organizations, pack, search, sessions, transfer,
    upload,
};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, patch, post};
use http::{HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use tracing::{Instrument, Span};

/// Resumable uploads, whose requests and responses have a version of their own.
fn resumable_uploads() -> Router<App> {
    Router::new()
        .route("/api/uploads", get(tus::list).post(tus::create).options(tus::options))
        // Clients of tus resolve the address of an upload against either form.
        .route("/api/uploads/", post(tus::create).options(tus::options))
        .route(
            "/api/uploads/{id}",
            patch(tus::patch)
                .head(tus::head)
                .delete(tus::terminate)
                .options(tus::options)
                .post(tus::overridden),
        )
        .route_layer(middleware::from_fn(tus::versioned))
}

/// The API. The listener forwards `/api` and the few other paths to it.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/", get(demo::index))
        .route("/documents/{id}", get(demo::index))
        .route("/demo/users", get(demo::users))
        .route("/demo/token", post(demo::token))
        .route("/demo/{*path}", get(demo::file))
        .route("/api", get(home::home))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/api/sessions", get(sessions::list).post(sessions::create))
        .route("/api/sessions/{id}", get(sessions::read).patch(sessions::update).delete(sessions::delete))
        .route("/api/sessions/{id}/restore", post(sessions::restore))
        .route("/api/sessions/{id}/context/versions", get(context::versions::list))
        .route("/api/sessions/{id}/context/versions/{n}", get(context::versions::read))
        .route("/api/sessions/{id}/context/diff", get(context::versions::diff))
        .route("/api/contexts", post(context::save_many))
        .route("/api/sessions/{id}/events", get(events::events))
        .route("/api/sessions/{id}/pack", post(pack::pack))
        .route("/api/sessions/{id}/export", get(transfer::export_one))
        .route("/api/search", get(search::by_words).post(search::by_words_or_embedding))
        .route("/api/export", get(transfer::export))
        .route("/api/import", post(transfer::import))
        .route("/api/limits", get(limits::read))
        .route("/api/organizations", get(organizations::list).post(organizations::create))
        .route(
            "/api/organizations/{id}",
            get(organizations::read).patch(organizations::rename).delete(organizations::forget),
        )
        .route("/api/organizations/{id}/usage", get(organizations::usage))
        .route("/api/organizations/{id}/members", get(organizations::members).post(organizations::add_member))
        .route(
            "/api/organizations/{id}/members/{user_id}",
            patch(organizations::set_role).delete(organizations::remove_member),
        )
        .route("/api/invitations", get(organizations::invitations))
        .route(
            "/api/invitations/{id}",
            post(organizations::accept_invitation).delete(organizations::decline_invitation),
        )
        .route("/api/uploads/explain", post(upload::explain))
        .merge(resumable_uploads())
        .route("/api/documents", get(documents::list).post(upload::upload))
        .route("/api/documents/known", post(documents::known))
        .route("/api/documents/{id}", get(documents::read).patch(documents::update).delete(documents::delete))
        .route("/api/documents/{id}/content", get(documents::content))
        .route("/api/documents/{id}/pages", get(documents::pages))
        .route("/api/documents/{id}/pages/{n}", get(documents::page))
        .route("/api/documents/{id}/pages/{n}/tables", get(documents::tables))
        .route("/api/documents/{id}/thumbnail", get(documents::thumbnail))
        .route("/api/documents/{id}/urls", post(documents::urls))
        .route("/api/documents/{id}/extract", post(documents::extract))
        .route("/api/documents/{id}/ocr", post(documents::ocr))
        .route_layer(middleware::from_fn(without_version))
        // The context has versions, which preconditions can name.
        .route("/api/sessions/{id}/context", get(context::read).post(context::save))
        .route("/api/sessions/{id}/context/restore", post(context::versions::restore))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(conditional_read))
        .layer(middleware::from_fn_with_state(app.clone(), in_context))
        .with_state(app)
}

/// Adds the request's id to log lines, and tells the listener the user for its own. Shutdown waits for the handler.
async fn in_context(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let _in_progress = app.tasks.token();
    let id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
    let span = tracing::info_span!("request", id);
    let seen = SeenUser::default();
    request.extensions_mut().insert(seen.clone());
    let mut response = next.run(request).instrument(span.clone()).await.map(|body| log_failure(body, span));
    if let Some(user) = seen.get().and_then(|user| HeaderValue::from_str(user).ok()) {
        response.headers_mut().insert(USER_HEADER, user);
    }
    keep_out_of_caches(&mut response);
    response
}

/// Logs why a body fails. The client only sees that it breaks off.
fn log_failure(body: Body, span: Span) -> Body {
    Body::new(body.map_err(move |error| {
        span.in_scope(|| tracing::warn!("the response was cut off: {}", Chain(&error)));
        error
    }))
}

/// Every response belongs to one caller. One with an `ETag` may be stored, but must be revalidated each time.
fn keep_out_of_caches(response: &mut Response) {
    let may_be_stored = response.headers().contains_key(header::ETAG);
    let policy = if may_be_stored { "private, no-cache" } else { "no-store" };
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(policy));
}

async fn unknown() -> ApiError {
    Problem::new(StatusCode::NOT_FOUND, "Path not found")
        .hint("The API is below /api. The page at /api lists its paths.")
        .into()
}

async fn wrong_method() -> ApiError {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed on this path")
        .hint("Use one of the methods in the Allow header.")
        .into()
}
