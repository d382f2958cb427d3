//! The listener's own responses.

use super::cors::Cors;
use crate::http::{Problem, REQUEST_ID};
use http::{StatusCode, header};
use pingora::Result;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;

/// Answers with a problem. A body that is still coming is not read; the connection closes after it. `cors`
/// lets pages of other origins read it.
pub(super) async fn refuse(
    session: &mut Session,
    cors: Option<&Cors>,
    request_id: &str,
    problem: &Problem,
    retry_after: Option<u64>,
) -> Result<()> {
    let body = problem.to_json();
    let mut answer = ResponseHeader::build(problem.status, Some(6))?;
    answer.insert_header(header::CONTENT_TYPE, "application/json; charset=utf-8")?;
    answer.insert_header(header::CONTENT_LENGTH, body.len())?;
    answer.insert_header(header::CACHE_CONTROL, "no-store")?;
    answer.insert_header(REQUEST_ID, request_id)?;
    if let Some(seconds) = retry_after {
        answer.insert_header(header::RETRY_AFTER, seconds)?;
    }
    if let Some(cors) = cors {
        cors.allow(session.req_header(), &mut answer)?;
    }
    session.write_response_header(Box::new(answer), false).await?;
    session.write_response_body(Some(body.into()), true).await
}

pub(super) fn too_many_requests() -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests from this address")
        .hint("Wait as long as Retry-After says.")
}

pub(super) fn too_large(limit: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the request is larger than {limit} bytes"))
        .hint("Send fewer files in one request.")
}

pub(super) fn head_too_large() -> Problem {
    Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's headers are too long")
        .hint("Send the access token and little else.")
}

pub(super) fn foreign_origin() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "pages of this origin may not call the API")
        .hint("The operator adds the origin to CORS_ORIGINS.")
}

pub(super) fn unknown_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path").hint("The API is under /api.")
}

pub(super) fn no_upstream() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no Supabase stack is configured behind this edge")
        .hint("The operator sets SUPABASE_URL to pass this path through.")
}

pub(super) fn bad_gateway() -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, "the Supabase stack behind this edge does not answer")
        .hint("Try again in a moment.")
}

pub(super) fn timed_out() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "the request stopped arriving").hint("Send it again.")
}
