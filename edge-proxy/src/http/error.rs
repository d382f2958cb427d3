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
        serde_json::to_string(self).unwrap_or_default()
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
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, until_tomorrow().into());
        }
        response
    }
}

/// Seconds until midnight UTC, when daily quotas start again. The listener sets its own value.
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

/// An error with its causes, on one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn StdError + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
