//! The demo: the files of `client/demo` as they were when this program was built, and signing in as a demo user.
//!
//! Invariant: a token is handed out only if `DEMO_USERS` is set, which `config::demo` allows on loopback addresses alone, and
//! only to a page of this computer: the host that the browser asked for must be a loopback name, too. A page from elsewhere
//! cannot borrow an address (DNS rebinding), and cannot read the response (CORS).

use super::home;
use crate::app::App;
use crate::http::{ApiError, Json, Problem, json};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// The built files, by path. Empty if the demo was not built before this program.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/demo.rs"));

/// Scripts, styles and fonts come from here alone; images and originals of documents from memory, too.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; \
                      connect-src 'self'; frame-src blob:; object-src blob:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// An hour, as `./dev token` gives.
const VALID_SECONDS: u64 = 3600;

/// `GET /`, and `GET /documents/{id}`, which is a citation: the demo. If it was not built, the page about the API.
pub(crate) async fn index() -> Response {
    serve("index.html").unwrap_or_else(|| home::page(Some(home::NO_DEMO)))
}

/// `GET /demo/{path}`: a file of the demo.
pub(crate) async fn file(Path(path): Path<String>) -> Result<Response, ApiError> {
    serve(&path).ok_or_else(not_here)
}

fn serve(path: &str) -> Option<Response> {
    let (_, bytes) = FILES.iter().find(|(name, _)| *name == path)?;
    // The names of assets have a digest of their content.
    let caching =
        if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, media_type(path)),
        (header::CACHE_CONTROL, caching),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    Some((headers, *bytes).into_response())
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// What the page shows about a user.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    email: &'a str,
    organization: &'a str,
    role: &'a str,
}

/// `GET /demo/users`: the users that anyone can sign in as.
pub(crate) async fn users(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let demo = app.demo.as_ref().filter(|_| is_local(&uri, &headers)).ok_or_else(not_here)?;
    let shown: Vec<_> = demo
        .users
        .iter()
        .map(|user| Shown {
            id: &user.id,
            email: &user.email,
            organization: &user.organization,
            role: &user.role,
        })
        .collect();
    Ok(json(StatusCode::OK, serde_json::json!({ "users": shown }).to_string()))
}

/// The body of `POST /demo/token`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    email: String,
}

/// `POST /demo/token`: a token for a demo user, like those of `./dev token`.
pub(crate) async fn token(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    Json(body): Json<SignIn>,
) -> Result<Response, ApiError> {
    let demo = app.demo.as_ref().filter(|_| is_local(&uri, &headers)).ok_or_else(not_here)?;
    let user = demo.users.iter().find(|user| user.email == body.email).ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "There is no such demo user").hint("GET /demo/users lists them.")
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let claims = serde_json::json!({
        "sub": user.id, "email": user.email, "role": "authenticated", "aud": "authenticated", "iat": now,
        "exp": now + VALID_SECONDS,
    });
    let key = EncodingKey::from_secret(demo.secret.as_bytes());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(|error| {
        tracing::error!("signing a demo token failed: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The token could not be signed")
            .hint("See the edge's log.")
    })?;
    Ok(json(StatusCode::CREATED, serde_json::json!({ "token": token }).to_string()))
}

/// Whether the browser asked for a name of this computer.
fn is_local(uri: &Uri, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = host.or_else(|| uri.authority().map(http::uri::Authority::as_str)).unwrap_or_default();
    let name = authority.parse::<http::uri::Authority>().map(|authority| authority.host().to_owned());
    matches!(name.as_deref(), Ok("localhost" | "127.0.0.1" | "[::1]"))
}

fn not_here() -> ApiError {
    Problem::new(StatusCode::NOT_FOUND, "Path not found")
        .hint("The API is below /api. The page at /api lists its paths.")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_computer_are_local() {
        let asked = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            is_local(&Uri::from_static("/demo/users"), &headers)
        };
        for host in ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
            assert!(asked(host), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8080", "10.0.0.1", "[::2]", ""]
        {
            assert!(!asked(host), "{host}");
        }
        assert!(is_local(&Uri::from_static("http://localhost:8080/demo/users"), &HeaderMap::new()));
        assert!(!is_local(&Uri::from_static("/demo/users"), &HeaderMap::new()));
    }
}
