//! Live status of a session: `GET /api/sessions/{id}/events`, as server-sent events or, for clients that poll, as JSON.
//!
//! Invariant: every event was read by the caller, with the caller's rights, after the change. Notifications only say when to
//! read. So a caller who was removed learns nothing more, even if the notification of that is lost.
//! Invariant: a stream holds no database connection, and nothing for a client that does not read.

mod changes;
mod live;

use crate::app::App;
use crate::auth::Claims;
use crate::http::{ApiError, EVENT_STREAM, Id, NoKeys, Problem, Query, found};
use crate::work::TooMany;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use live::Live;
use std::convert::Infallible;
use tokio_postgres::types::Type;

const CHANGES: &str = "select dossier.session_changes($1, $2)::text";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// `GET /api/sessions/{id}/events`.
pub(crate) async fn events(
    State(app): State<App>,
    claims: Claims,
    Id(session): Id,
    _: Query<NoKeys>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let since = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    if wants_json(&headers) {
        let params = [(&session as _, Type::UUID), (&since as _, Type::TEXT)];
        return found(app.db.as_caller(&claims.caller).json(CHANGES, &params).await?, "session", session);
    }
    let watcher = match app.events.watch(session, claims.user()) {
        Ok(watcher) => watcher,
        Err(limit) => return Ok(refuse(limit)),
    };
    Ok(streamed(Live::open(app, &claims, watcher, since).await?))
}

/// Whether the client asks for one response instead of a stream.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.contains("application/json") && !accept.contains(EVENT_STREAM)
}

fn streamed(live: Live) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        // nginx would otherwise collect events until its buffer is full.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let events = stream::unfold(live, |mut live| async {
        let piece = live.next().await?;
        Some((Ok::<_, Infallible>(piece), live))
    });
    (headers, Body::from_stream(events)).into_response()
}

fn refuse(limit: TooMany) -> Response {
    let (status, message, details, seconds) = match limit {
        TooMany::OfThisUser(most) => (
            StatusCode::TOO_MANY_REQUESTS,
            "You have too many event streams open",
            format!("This edge allows {most} per user (EVENT_STREAMS_PER_USER)."),
            30,
        ),
        TooMany::OfThisEdge(most) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "This edge has too many event streams open",
            format!("It allows {most} (EVENT_STREAMS)."),
            30,
        ),
    };
    let problem = Problem::new(status, message)
        .details(details)
        .hint("Close streams that you no longer read, or poll this path with Accept: application/json.");
    let mut response = problem.into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_client_that_asks_for_json_gets_it() {
        let wants = |accept: &'static str| {
            wants_json(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
        };
        assert!(wants("application/json"));
        for stream in ["*/*", "text/event-stream", "text/event-stream, application/json", ""] {
            assert!(!wants(stream), "{stream}");
        }
        assert!(!wants_json(&HeaderMap::new()));
    }
}
