//! The listener's own responses: the requests that it refuses, and the failures that it reports.

use super::cors::Cors;
use super::target::Ambiguity;
use crate::http::{Problem, REQUEST_ID};
use http::{StatusCode, header};
use pingora::Result;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use std::time::Duration;

/// The hint for a request that is not HTTP.
const WELL_FORMED: &str = "Send a well-formed HTTP request. Any standard client does.";

/// Responds to a browser that asks whether a page of another origin may send its request.
pub(super) async fn preflight(session: &mut Session, cors: &Cors, request_id: &str) -> Result<()> {
    let Some(mut response) = cors.preflight(session.req_header())? else {
        return refuse(session, cors, request_id, &foreign_origin()).await;
    };
    response.insert_header(REQUEST_ID, request_id)?;
    session.write_response_header(Box::new(response), true).await
}

/// Responds with a problem. A body that is still arriving is not read, and the connection closes afterwards. `cors`
/// allows pages of other origins to read the response.
pub(super) async fn refuse(
    session: &mut Session,
    cors: &Cors,
    request_id: &str,
    problem: &Problem,
) -> Result<()> {
    let body = problem.to_json();
    let mut response = ResponseHeader::build(problem.status, Some(6))?;
    response.insert_header(header::CONTENT_TYPE, "application/json; charset=utf-8")?;
    response.insert_header(header::CONTENT_LENGTH, body.len())?;
    response.insert_header(header::CACHE_CONTROL, "no-store")?;
    response.insert_header(REQUEST_ID, request_id)?;
    if let Some(seconds) = problem.retry_after {
        response.insert_header(header::RETRY_AFTER, seconds)?;
    }
    cors.allow(session.req_header(), &mut response)?;
    session.write_response_header(Box::new(response), false).await?;
    session.write_response_body(Some(body.into()), true).await
}

pub(super) fn too_many_requests(per_minute: u32, wait: Duration) -> Problem {
    let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests from this address")
        .details(format!("This edge accepts {per_minute} per minute (RATE_LIMIT_PER_MINUTE)."))
        .hint("Retry after the number of seconds in Retry-After.");
    problem.retry_after = Some(wait.as_secs() + 1);
    problem
}

/// A complete response for a connection that is not served.
pub(super) fn too_many_connections(limit: usize) -> String {
    let body = Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many connections from this address")
        .details(format!("This edge accepts {limit} at the same time (CONNECTIONS_PER_ADDRESS)."))
        .hint("Retry after the number of seconds in Retry-After, and use connections for several requests.")
        .to_json();
    format!(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\
         retry-after: 1\r\ncache-control: no-store\r\n{REQUEST_ID}: {}\r\nconnection: close\r\n\r\n{body}",
        body.len(),
        uuid::Uuid::new_v4(),
    )
}

pub(super) fn too_slow(rate: u64, whole: Duration) -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "The body of the request arrives too slowly")
        .details(format!(
            "This edge expects {rate} bytes per second (BODY_MIN_BYTES_PER_SECOND), and all of it within {} seconds \
             (BODY_SECONDS).",
            whole.as_secs()
        ))
        .hint("Use a faster connection, or send less per request.")
}

/// A body whose length was not declared, or wrongly.
pub(super) fn too_large_on_arrival(limit: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The request is larger than {limit} bytes"))
        .details("This is a limit of the edge (REQUEST_MAX_BYTES).")
        .hint("Send fewer files per request, or ask the operator to raise the limit.")
}

pub(super) fn too_large(declared: u64, limit: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The request is larger than {limit} bytes"))
        .details(format!(
            "Its Content-Length is {declared}. This is a limit of the edge (REQUEST_MAX_BYTES)."
        ))
        .hint("Send fewer files per request, or ask the operator to raise the limit.")
}

pub(super) fn head_too_large(size: usize, limit: usize) -> Problem {
    Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers of the request are too long")
        .details(format!("They have {size} bytes. The limit of the edge is {limit}."))
        .hint("Send only the access token and the headers that the request needs.")
}

fn foreign_origin() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "Pages of this origin may not call the API")
        .hint("Ask the operator to add the origin to CORS_ORIGINS.")
}

pub(super) fn unknown_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "Path not found")
        .hint("The API is below /api. The page at /api lists its paths.")
}

pub(super) fn no_upstream() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "This edge has no Supabase stack to pass the request through to")
        .hint("Ask the operator to set SUPABASE_URL.")
}

pub(super) fn bad_gateway() -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, "The Supabase stack behind this edge does not respond")
        .hint("Retry in a moment.")
}

pub(super) fn gateway_timeout(limit: Duration) -> Problem {
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "The Supabase stack behind this edge did not respond in time")
        .details(format!("It was silent for {} seconds (UPSTREAM_TIMEOUT_SECONDS).", limit.as_secs()))
        .hint("Retry in a moment, or ask the operator to raise the limit.")
}

/// `limit` and `setting`: how long the edge waited, and where that is set.
pub(super) fn timed_out(limit: Duration, setting: &str) -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "Timed out waiting for the request body")
        .details(format!("Nothing arrived for {} seconds ({setting}).", limit.as_secs()))
        .hint("Send the request again.")
}

pub(super) fn ambiguous_path(ambiguity: Ambiguity) -> Problem {
    Problem::bad_request("The path is ambiguous, so it is not passed through to the Supabase stack")
        .details(ambiguity.to_string())
        .hint("Send the path in its plain form, with reserved characters percent-encoded once.")
}

pub(super) fn two_lengths(details: &'static str) -> Problem {
    Problem::bad_request("Servers do not agree where this request ends").details(details).hint(WELL_FORMED)
}

pub(super) fn unknown_encoding() -> Problem {
    Problem::new(StatusCode::NOT_IMPLEMENTED, "The Transfer-Encoding of the request is not supported")
        .details("The edge accepts only chunked.")
        .hint("Send the body without compression, in chunks or with its Content-Length.")
}

pub(super) fn no_host() -> Problem {
    Problem::bad_request("The request has no Host header").details("HTTP/1.1 requires it.").hint(WELL_FORMED)
}

pub(super) fn no_tunnel() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "CONNECT is not supported")
        .details("This edge is a server, not a proxy to other hosts.")
        .hint("Call its paths directly, without a proxy setting.")
}

pub(super) fn malformed() -> Problem {
    Problem::bad_request("Malformed HTTP request").hint(WELL_FORMED)
}

/// A status that pingora chose for a request that it could not read.
pub(super) fn unreadable(status: u16) -> Problem {
    StatusCode::from_u16(status).map_or_else(
        |_| Problem::internal(),
        |status| Problem::new(status, "The request could not be read").hint(WELL_FORMED),
    )
}
