//! Errors: what a client receives, and what only the log does.
//!
//! The body of every error response is `{"code","message","details","hint"}`, as in `PostgREST`. The code is the SQLSTATE
//! that Postgres raised. The edge's own errors use `PT` and the HTTP status, so one rule has one code wherever it is enforced.
//! Invariant: an error that is not marked [`ClientFacing`] becomes a 500 that reveals nothing of it.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::time::{SystemTime, UNIX_EPOCH};

/// An error that a client may see. Never implemented for an error that quotes internals.
pub(crate) trait ClientFacing: StdError {
    /// What the client receives.
    fn problem(&self) -> Problem;
}

/// An error as a client receives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    #[serde(skip)]
    pub(crate) status: StatusCode,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: Cow<'static, str>,
    pub(crate) details: Option<Cow<'static, str>>,
    pub(crate) hint: Option<Cow<'static, str>>,
    /// Seconds. Without them, statuses that invite a retry have their usual value.
    #[serde(skip)]
    pub(crate) retry_after: Option<u64>,
}

impl Problem {
    /// An error of the edge itself. Its code is `PT` and the status.
    pub(crate) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code: format!("PT{}", status.as_u16()).into(),
            message: message.into(),
            details: None,
            hint: None,
            retry_after: None,
        }
    }

    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The same response for all internal errors.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error")
            .hint("Ask the operator to look up the x-request-id of this response in the log of the edge.")
    }

    pub(crate) fn details(mut self, details: impl Into<Cow<'static, str>>) -> Self {
        self.details = Some(details.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The body of the response.
    pub(crate) fn to_json(&self) -> String {
        // Serializing four strings cannot fail.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], self.to_json())
                .into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let retry_after = self.retry_after.or_else(|| match self.status {
            StatusCode::SERVICE_UNAVAILABLE => Some(1),
            StatusCode::TOO_MANY_REQUESTS => Some(until_tomorrow()),
            _ => None,
        });
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Seconds until midnight UTC, when daily quotas start again. The limits of the edge set their own value.
fn until_tomorrow() -> u64 {
    const DAY: u64 = 24 * 60 * 60;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    DAY - now % DAY
}

/// Why a request failed.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The client receives this.
    Refused(Problem),
    /// The log receives this. The client only learns that it happened.
    Internal(Box<dyn StdError + Send + Sync>),
}

impl ApiError {
    /// An error that the client must not see.
    pub(crate) fn internal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// What the client receives. An internal error is logged here, and nowhere else.
    pub(crate) fn into_problem(self) -> Problem {
        match self {
            Self::Refused(problem) => problem,
            Self::Internal(error) => {
                tracing::error!("{}", Chain(&*error));
                Problem::internal()
            }
        }
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl<E: ClientFacing> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self::Refused(error.problem())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.into_problem().into_response()
    }
}

/// Postgres writes details and hints on lines of their own.
fn one_line(error: &dyn StdError) -> String {
    error.to_string().replace('\n', "; ")
}

/// An error with its causes, on one line. Errors of libraries often do not name their causes themselves.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn StdError + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut last = one_line(self.0);
        write!(f, "{last}")?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = one_line(error);
            // Some errors already name their cause.
            if !last.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            (last, cause) = (text, error.source());
        }
        Ok(())
    }
}
