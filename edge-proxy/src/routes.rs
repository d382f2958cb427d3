//! The API's URLs, and the handling that all requests share.

use crate::app::App;
use crate::auth::{SeenUser, USER_HEADER};
use crate::http::{ApiError, Chain, Problem, REQUEST_ID, conditional_read, plain_body, without_version};
use crate::openapi::{self, Described, Routes, described};
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
use http::{HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use tracing::{Instrument, Span};

/// Resumable uploads, whose requests and responses have a version of their own.
fn resumable_uploads() -> Routes {
    Routes::default()
        .get("/api/uploads", tus::list, described::uploads::list)
        .post("/api/uploads", tus::create, described::uploads::create)
        .on(Method::OPTIONS, "/api/uploads", tus::options, described::uploads::options)
        // Clients of tus resolve the address of an upload against either form.
        .undescribed(Method::POST, "/api/uploads/", tus::create)
        .undescribed(Method::OPTIONS, "/api/uploads/", tus::options)
        .patch("/api/uploads/{id}", tus::patch, described::uploads::patch)
        .on(Method::HEAD, "/api/uploads/{id}", tus::head, described::uploads::head)
        .delete("/api/uploads/{id}", tus::terminate, described::uploads::terminate)
        .on(Method::OPTIONS, "/api/uploads/{id}", tus::options, described::uploads::options_of_one)
        .post("/api/uploads/{id}", tus::overridden, described::uploads::overridden)
        .layered(|routes| {
            routes
                .route_layer(middleware::from_fn(plain_body))
                .route_layer(middleware::from_fn(tus::versioned))
        })
}

/// Pages for people.
fn pages() -> Routes {
    Routes::default()
        .undescribed(Method::GET, "/", demo::index)
        .undescribed(Method::GET, "/documents/{id}", demo::index)
        .undescribed(Method::GET, "/demo/users", demo::users)
        .undescribed(Method::POST, "/demo/token", demo::token)
        .undescribed(Method::GET, "/demo/{*path}", demo::file)
}

/// What the edge says about itself.
fn service() -> Routes {
    use described::service as d;
    Routes::default()
        .get("/api", home::home, d::home)
        .get("/api/openapi.json", openapi::json, d::openapi)
        .get("/api/docs", openapi::docs, d::docs)
        .get("/healthz", health::healthz, d::healthz)
        .get("/readyz", health::readyz, d::readyz)
        .get("/api/limits", limits::read, d::limits)
}

fn of_sessions() -> Routes {
    use described::{context as c, search as f, sessions as d, transfer as t};
    Routes::default()
        .get("/api/sessions", sessions::list, d::list)
        .post("/api/sessions", sessions::create, d::create)
        .get("/api/sessions/{id}", sessions::read, d::read)
        .patch("/api/sessions/{id}", sessions::update, d::update)
        .delete("/api/sessions/{id}", sessions::delete, d::delete)
        .post("/api/sessions/{id}/restore", sessions::restore, d::restore)
        .get("/api/sessions/{id}/events", events::events, d::events)
        .get("/api/sessions/{id}/context/versions", context::versions::list, c::versions)
        .get("/api/sessions/{id}/context/versions/{n}", context::versions::read, c::version)
        .get("/api/sessions/{id}/context/diff", context::versions::diff, c::diff)
        .post("/api/contexts", context::save_many, c::save_many)
        .post("/api/sessions/{id}/pack", pack::pack, f::pack)
        .get("/api/search", search::by_words, f::by_words)
        .post("/api/search", search::by_words_or_embedding, f::by_words_or_embedding)
        .get("/api/sessions/{id}/export", transfer::export_one, t::export_one)
        .get("/api/export", transfer::export, t::export)
        .post("/api/import", transfer::import, t::import)
}

fn of_documents() -> Routes {
    use described::{documents as d, pages as p};
    Routes::default()
        .get("/api/documents", documents::list, d::list)
        .post("/api/documents", upload::upload, d::upload)
        .post("/api/documents/known", documents::known, d::known)
        .get("/api/documents/{id}", documents::read, d::read)
        .patch("/api/documents/{id}", documents::update, d::update)
        .delete("/api/documents/{id}", documents::delete, d::delete)
        .get("/api/documents/{id}/content", documents::content, d::content)
        .get("/api/documents/{id}/thumbnail", documents::thumbnail, d::thumbnail)
        .get("/api/documents/{id}/pages", documents::pages, p::list)
        .get("/api/documents/{id}/pages/{n}", documents::page, p::read)
        .get("/api/documents/{id}/pages/{n}/tables", documents::tables, p::tables)
        .post("/api/documents/{id}/urls", documents::urls, d::urls)
        .post("/api/documents/{id}/extract", documents::extract, d::extract)
        .post("/api/documents/{id}/ocr", documents::ocr, d::ocr)
        .post("/api/uploads/explain", upload::explain, described::uploads::explain)
}

fn of_organizations() -> Routes {
    use described::organizations as d;
    Routes::default()
        .get("/api/organizations", organizations::list, d::list)
        .post("/api/organizations", organizations::create, d::create)
        .get("/api/organizations/{id}", organizations::read, d::read)
        .patch("/api/organizations/{id}", organizations::rename, d::rename)
        .delete("/api/organizations/{id}", organizations::forget, d::forget)
        .get("/api/organizations/{id}/usage", organizations::usage, d::usage)
        .get("/api/organizations/{id}/members", organizations::members, d::members)
        .post("/api/organizations/{id}/members", organizations::add_member, d::add_member)
        .patch("/api/organizations/{id}/members/{user_id}", organizations::set_role, d::set_role)
        .delete("/api/organizations/{id}/members/{user_id}", organizations::remove_member, d::remove_member)
        .get("/api/invitations", organizations::invitations, d::invitations)
        .post("/api/invitations/{id}", organizations::accept_invitation, d::accept_invitation)
        .delete("/api/invitations/{id}", organizations::decline_invitation, d::decline_invitation)
}

/// The current context. It has versions, which preconditions can name.
fn of_contexts() -> Routes {
    use described::context as d;
    Routes::default()
        .get("/api/sessions/{id}/context", context::read, d::read)
        .post("/api/sessions/{id}/context", context::save, d::save)
        .post("/api/sessions/{id}/context/restore", context::versions::restore, d::restore)
}

/// All routes, each with its description.
fn routes() -> Routes {
    let plain = |routes: Router<App>| routes.route_layer(middleware::from_fn(plain_body));
    of_sessions()
        .merge(of_documents())
        .layered(plain)
        .merge(resumable_uploads())
        .merge(of_organizations().merge(service()).merge(pages()).layered(plain))
        .layered(|routes| routes.route_layer(middleware::from_fn(without_version)))
        .merge(of_contexts().layered(plain))
}

/// The descriptions of all routes.
pub(crate) fn described() -> Vec<Described> {
    routes().into_described()
}

/// The API. The listener forwards `/api` and the few other paths to it.
pub(crate) fn router(app: App) -> Router {
    routes()
        .into_router()
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
