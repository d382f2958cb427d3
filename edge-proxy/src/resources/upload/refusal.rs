//! Every refusal of an upload that the edge makes itself. The database refuses by its own rules
//! (`sql/`, `begin_upload` and `append_upload`), and the listener what is too large or too often before it is read.

use super::multipart::FormError;
use super::receive::ReceiveError;
use crate::auth::Claims;
use crate::db::DbError;
use crate::http::{ApiError, Problem};
use http::StatusCode;

/// Why a file is not stored: because of the file, so others may be, or because of the request.
pub(super) enum Refusal {
    File(Problem),
    Request(ApiError),
}

/// A refusal that names the session or the caller holds for every file of the request.
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
            ReceiveError::TooLarge { limit } => Self::File(
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the file is larger than {limit} bytes"))
                    .hint(format!("The limit is {limit} bytes a file.")),
            ),
            ReceiveError::Form(error) => Self::Request(form_problem(&error).into()),
        }
    }
}

pub(super) fn form_problem(error: &FormError) -> Problem {
    let problem = Problem::bad_request(error.to_string());
    match error {
        FormError::NotAForm => {
            Problem { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, code: "PT415".into(), ..problem }
                .hint("Send the files as multipart/form-data, as a browser's FormData or curl -F does.")
        }
        FormError::Truncated | FormError::Body(_) => {
            problem.hint("Nothing of the file that broke off is kept; send it again.")
        }
        FormError::Malformed(_) => problem
            .hint("Let a browser's FormData or curl -F write the form: multipart/form-data (RFC 7578)."),
        FormError::TooMuchToSkip => {
            problem.hint("Send what came behind the refused file in another request.")
        }
    }
}

pub(super) fn no_session() -> Problem {
    Problem::bad_request("session_id is missing")
        .hint("Send it as a field before the files, or in the query: /api/documents?session_id=…")
}

pub(super) fn no_file() -> Problem {
    Problem::bad_request("the form has no file")
        .hint("A file is a part with a file name: curl -F session_id=… -F file=@report.pdf")
}

pub(super) fn too_many_files(most: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a request has at most {most} files"))
        .hint("This file and those behind it were not read: send them in another request.")
}

pub(super) fn too_many() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many uploads are in flight")
        .hint("Try again in a moment.")
}
