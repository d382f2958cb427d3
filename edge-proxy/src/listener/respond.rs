//! The listener's own responses: the requests that it refuses, and the failures that it reports.

use super::cors::Cors;
use crate::http::{Problem, REQUEST_ID};
use http::{StatusCode, header};
use pingora::Result;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use std::time::Duration;

/// The hint for a request that is not HTTP.
const WELL_FORMED: &str = "Send a well-formed HTTP request. Any standard client does.";

/// Responds with a problem. A body that is still arriving is not read, and the connection closes afterwards. `cors`
/// allows pages of other origins to read the response.
pub(super) async fn refuse(
    session: &mut Session,
    cors: Option<&Cors>,
    request_id: &str,
    problem: &Problem,
    retry_after: Option<u64>,
) -> Result<()> {
    let body = problem.to_json();
    let mut response = ResponseHeader::build(problem.status, Some(6))?;
    response.insert_header(header::CONTENT_TYPE, "application/json; charset=utf-8")?;
    response.insert_header(header::CONTENT_LENGTH, body.len())?;
    response.insert_header(header::CACHE_CONTROL, "no-store")?;
    response.insert_header(REQUEST_ID, request_id)?;
    if let Some(seconds) = retry_after {
        response.insert_header(header::RETRY_AFTER, seconds)?;
    }
    if let Some(cors) = cors {
        cors.allow(session.req_header(), &mut response)?;
    }
    session.write_response_header(Box::new(response), false).await?;
    session.write_response_body(Some(body.into()), true).await
}

pub(super) fn too_many_requests(per_minute: u32) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests from this address")
        .details(format!("This edge accepts {per_minute} per minute (RATE_LIMIT_PER_MINUTE)."))
        .hint("Retry after the number of seconds in Retry-After.")
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

pub(super) fn foreign_origin() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "Pages of this origin may not call the API")
        .hint("Ask the operator to add the origin to CORS_ORIGINS.")
}

pub(super) fn unknown_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "Path not found")
        .hint("The API is below /api. The page at / lists its paths.")
}

pub(super) fn no_upstream() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "This edge has no Supabase stack to pass the request through to")
        .hint("Ask the operator to set SUPABASE_URL.")
}

pub(super) fn bad_gateway() -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, "The Supabase stack behind this edge does not respond")
        .hint("Retry in a moment.")
}

pub(super) fn timed_out(idle: Duration) -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "Timed out waiting for the request body")
        .details(format!("Nothing arrived for {} seconds (BODY_IDLE_SECONDS).", idle.as_secs()))
        .hint("Send the request again.")
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
