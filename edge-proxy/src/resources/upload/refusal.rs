//! The refusals that the edge itself makes for an upload.
//!
//! Two others refuse before: `listener/` (request rate, declared length) and `auth/` (token). The database refuses by its own
//! rules in `begin_upload`, `append_upload` and `finish_upload`.

use super::multipart::FormError;
use super::receive::ReceiveError;
use crate::auth::Claims;
use crate::db::DbError;
use crate::http::{ApiError, Problem};
use http::StatusCode;

/// Why a file is not stored.
pub(super) enum Refusal {
    /// Because of the file. The other files of the request may still be stored.
    File(Problem),
    /// Because of the request.
    Request(ApiError),
}

/// A refusal that concerns the session or the caller applies to every file of the request.
pub(super) fn refusal(error: DbError, claims: &Claims) -> Refusal {
    let about_the_file = error.status().is_some_and(|status| {
        status.is_client_error()
            && !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
    });
    match error.seen_by(claims.caller.role) {
        ApiError::Refused(problem) if about_the_file => Refusal::File(problem),
        error => Refusal::Request(error),
    }
}

impl From<ReceiveError> for Refusal {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::TooLarge { limit } => Self::File(too_large(limit)),
            ReceiveError::Form(error) => Self::Request(form_problem(&error).into()),
            ReceiveError::Interrupted(error) => Self::Request(interrupted(&error).into()),
        }
    }
}

/// The database uses the same sentence for its own limit.
pub(super) fn too_large(limit: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The file is larger than {limit} bytes"))
        .details("This is a limit of the edge (UPLOAD_MAX_BYTES).")
        .hint("Send a smaller file, or ask the operator to raise the limit.")
}

/// Nobody reads this, unless the client has only stopped sending.
pub(super) fn interrupted(error: &axum::Error) -> Problem {
    Problem::bad_request("The body could not be read")
        .details(format!("Reading it failed: {error}."))
        .hint("Read the offset of the upload with HEAD, and continue there.")
}

pub(super) fn form_problem(error: &FormError) -> Problem {
    let status = match error {
        FormError::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => StatusCode::BAD_REQUEST,
    };
    Problem::new(status, error.to_string()).hint(match error {
        FormError::NotAForm => {
            "Send the files as multipart/form-data, as FormData in a browser or curl -F does."
        }
        FormError::Truncated | FormError::Body(_) => {
            "Send the file again. Nothing of the incomplete one was kept."
        }
        FormError::Malformed(_) => "Use FormData in a browser or curl -F to write the form (RFC 7578).",
        FormError::TooMuchToSkip => "Send the files after the refused one in another request.",
    })
}

pub(super) fn field_too_long(name: &str, limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The form field {name} is longer than {limit} bytes"))
        .details("This is a limit of the edge for fields that are not files.")
        .hint("Send long text as a file: a part with a file name.")
}

pub(super) fn field_not_text(name: &str) -> Problem {
    Problem::bad_request(format!("The form field {name} is not valid UTF-8"))
        .hint("Encode the fields of the form in UTF-8.")
}

pub(super) fn field_too_late(name: &str) -> Problem {
    Problem::bad_request(format!("The form field {name} comes after the last file"))
        .details("A field applies to the files after it, so this one was not used. The files are stored.")
        .hint("Send it before the files. To change a stored document: PATCH /api/documents/{id}.")
}

pub(super) fn unreadable_name() -> Problem {
    Problem::bad_request("The file name cannot be read")
        .details(
            "Its parameter filename* is not in the form UTF-8''percent-encoded, and there is no filename.",
        )
        .hint("Send filename=\"…\" in UTF-8, as FormData in a browser or curl -F does.")
}

pub(super) fn encoded(header: &str) -> Problem {
    let shown: String = header.chars().take(60).map(|c| if c.is_control() { '?' } else { c }).collect();
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Encoded parts are not supported")
        .details(format!("The part has {shown}. Forms do not use this (RFC 7578)."))
        .hint("Send the bytes of the file as they are, without this header.")
}

pub(super) fn invalid_session_id() -> Problem {
    Problem::bad_request("session_id is not a valid UUID")
        .hint("Send the id of a session as POST /api/sessions returns it.")
}

pub(super) fn no_session() -> Problem {
    Problem::bad_request("The form field session_id is missing")
        .hint("Send it before the files, or in the query: /api/documents?session_id=…")
}

pub(super) fn no_file() -> Problem {
    Problem::bad_request("The form contains no file")
        .details("A file is a part with a file name.")
        .hint("Send one, for example: curl -F session_id=… -F file=@report.pdf")
}

pub(super) fn too_many_files(limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The request contains more than {limit} files"))
        .details(
            "This is a limit of the edge (UPLOAD_MAX_FILES). This file and the ones after it were not read.",
        )
        .hint("Send them in another request.")
}
