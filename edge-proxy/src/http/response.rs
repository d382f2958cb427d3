//! Responses that several resources give: JSON from Postgres, and "not found".

use super::{ApiError, Problem};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use uuid::Uuid;

/// JSON text as Postgres wrote it, and a line break, so that a terminal shows the next prompt on a line of its own.
pub(crate) fn json(status: StatusCode, mut body: String) -> Response {
    body.push('\n');
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

/// On the response to a POST that only reads: nothing is lost if it is refused after all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChangedNothing;

/// JSON text, in response to a POST that only reads.
pub(crate) fn unchanged(body: String) -> Response {
    let mut response = json(StatusCode::OK, body);
    response.extensions_mut().insert(ChangedNothing);
    response
}

/// JSON text, or 404 if the caller can see no such `object`.
pub(crate) fn found(body: Option<String>, object: &str, id: Uuid) -> Result<Response, ApiError> {
    body.map(|body| json(StatusCode::OK, body)).ok_or_else(|| not_found(object, id))
}

/// The refusal that SQL raises for an object that does not exist or that the caller cannot see, in the same words.
pub(crate) fn not_found(object: &str, id: Uuid) -> ApiError {
    let mut name = object.to_owned();
    name[..1].make_ascii_uppercase();
    Problem::new(StatusCode::NOT_FOUND, format!("{name} not found"))
        .details(format!("No {object} {id} is visible to you."))
        .hint("Check the id, and that you are a member of the organization that it belongs to.")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_object_is_named() {
        let Problem { status, message, details, .. } = not_found("session", Uuid::nil()).into_problem();
        assert_eq!((status.as_u16(), message.as_ref()), (404, "Session not found"));
        assert_eq!(
            details.as_deref(),
            Some("No session 00000000-0000-0000-0000-000000000000 is visible to you.")
        );
    }
}
