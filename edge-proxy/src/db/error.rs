//! Errors of the database, and the HTTP status of each.

use super::words::of_http;
use crate::fair::Full;
use crate::http::{ApiError, Problem, Scarce, too_much_unread};
use deadpool_postgres::{PoolError, TimeoutType};
use http::StatusCode;
use std::borrow::Cow;
use std::error::Error as StdError;

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// Postgres raised an error, or the connection broke.
    #[error("postgres: {0}")]
    Postgres(#[from] tokio_postgres::Error),
    /// The login role cannot become the caller's role.
    #[error("the login role cannot become the caller's role (run `dossier-edge check`): {0}")]
    Identity(#[source] tokio_postgres::Error),
    /// The caller's share of the connections was in use for too long, or all of them were.
    #[error("waiting for the database: {0}")]
    Full(#[from] Full),
    /// The caller has not read enough of the earlier responses.
    #[error("waiting for the client to read its responses: {0}")]
    Unread(#[source] Full),
    /// The pool had no connection to give. Turns make that impossible, except at shutdown.
    #[error("timed out waiting for a free connection")]
    Busy,
    /// No connection could be made.
    #[error("connecting to postgres failed: {0}")]
    Unreachable(#[source] Box<dyn StdError + Send + Sync>),
    /// A function that always returns a row returned none.
    #[error("postgres returned no row")]
    NoRow,
    /// Data that is read piece by piece has changed meanwhile.
    #[error("the data was deleted or changed while it was being read")]
    Changed,
    /// The configuration cannot work.
    #[error("{0}")]
    Setup(#[source] Box<dyn StdError + Send + Sync>),
}

impl DbError {
    pub(super) fn identity(error: tokio_postgres::Error) -> Self {
        if error.as_db_error().is_some() { Self::Identity(error) } else { Self::Postgres(error) }
    }

    /// The SQLSTATE, when Postgres raised one.
    pub(crate) fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Postgres(error) => error.code().map(tokio_postgres::error::SqlState::code),
            _ => None,
        }
    }

    /// The HTTP status of an error that Postgres raised, if it has one.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        status_of(self.sqlstate()?)
    }
}

impl From<PoolError> for DbError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Timeout(TimeoutType::Wait) => Self::Busy,
            PoolError::Backend(error) if error.as_db_error().is_none() => Self::Unreachable(error.into()),
            error => Self::Unreachable(error.into()),
        }
    }
}

impl From<DbError> for ApiError {
    /// A refusal that Postgres raised for the caller goes to the caller. Everything else only goes to the log.
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Postgres(cause) => {
                if error.sqlstate().is_some_and(|sqlstate| NUL.contains(&sqlstate)) {
                    return Self::Refused(
                        Problem::bad_request("A text contains U+0000, which cannot be stored")
                            .hint("Remove this character and send the request again."),
                    );
                }
                let (Some(raised), Some(status)) = (cause.as_db_error(), error.status()) else {
                    return if cause.as_db_error().is_none() {
                        unavailable(&error)
                    } else {
                        Self::internal(error)
                    };
                };
                // A 501 goes to the client: it names a feature that this database lacks, and how to enable it.
                if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED {
                    return if status == StatusCode::SERVICE_UNAVAILABLE {
                        unavailable(&error)
                    } else {
                        Self::internal(error)
                    };
                }
                if raised.code().code() == "22P02" && raised.message().ends_with("type json") {
                    return Self::Refused(Problem {
                        code: "22P02".into(),
                        ..Problem::bad_request("A JSON value is not valid")
                            .details(shortened(raised.detail().unwrap_or(raised.message())))
                            .hint(
                                "Send valid JSON: text in UTF-8, and both halves of each pair of surrogates.",
                            )
                    });
                }
                Self::Refused(Problem {
                    status,
                    code: raised.code().code().to_owned().into(),
                    message: of_http(shortened(raised.message())),
                    details: raised.detail().map(shortened).map(of_http),
                    hint: raised
                        .hint()
                        .map(shortened)
                        .map(of_http)
                        .or_else(|| usual_hint(raised.code().code())),
                    retry_after: None,
                })
            }
            DbError::Full(full) => CONNECTIONS.refuse(full).into(),
            DbError::Unread(full) => too_much_unread(full).into(),
            DbError::Busy | DbError::Unreachable(_) => unavailable(&error),
            DbError::Changed => {
                Problem::new(StatusCode::CONFLICT, "The data was deleted or changed while it was being read")
                    .hint("Send the request again.")
                    .into()
            }
            DbError::Identity(_) | DbError::NoRow | DbError::Setup(_) => Self::internal(error),
        }
    }
}

/// The errors that Postgres raises for U+0000: in text, and escaped in JSON.
const NUL: [&str; 2] = ["22021", "22P05"];

/// Postgres quotes malformed input completely, even if it is a megabyte.
fn shortened(text: &str) -> Cow<'static, str> {
    const LONGEST: usize = 8000;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.to_owned().into(),
    }
}

/// The hint for an error that Postgres itself raised. Dossier's own errors have one.
fn usual_hint(sqlstate: &str) -> Option<Cow<'static, str>> {
    let hint = match sqlstate {
        "42501" => "Send the token of a user that has this permission.",
        "23505" => "The row already exists. Read it, or send another key.",
        "23503" => "The row it refers to does not exist, or is still in use. Check the ids.",
        _ => match sqlstate.get(..2)? {
            "22" | "23" => "Send a value that the message allows.",
            _ => return None,
        },
    };
    Some(hint.into())
}

const CONNECTIONS: Scarce = Scarce {
    name: "requests to the database",
    total: "DATABASE_POOL_SIZE",
    per_user: "DATABASE_USER_CONNECTIONS",
    per_organization: "DATABASE_ORGANIZATION_CONNECTIONS",
};

fn unavailable(error: &DbError) -> ApiError {
    tracing::error!("{}", crate::http::Chain(error));
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The database does not respond")
        .hint("Retry after the number of seconds in Retry-After.")
        .into()
}

/// The HTTP status of a SQLSTATE, as `PostgREST` maps it. `None`: it has none.
fn status_of(sqlstate: &str) -> Option<StatusCode> {
    let status = match sqlstate {
        "23503" | "23505" => 409,
        "25006" => 405,
        "53400" => 500,
        "42501" => 403,
        "P0001" => 400,
        "57P01" | "57P02" | "57P03" => 503,
        _ => match sqlstate.get(..2)? {
            "PT" => return StatusCode::from_bytes(sqlstate.get(2..)?.as_bytes()).ok(),
            "08" | "53" => 503,
            "0L" | "0P" | "28" => 403,
            // Also 42: the edge itself names tables and functions, unlike a client of PostgREST.
            "09" | "25" | "2D" | "38" | "39" | "3B" | "40" | "42" | "54" | "55" | "57" | "58" | "F0"
            | "HV" | "P0" | "XX" => 500,
            _ => 400,
        },
    };
    StatusCode::from_u16(status).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlstates_map_as_in_postgrest() {
        for (sqlstate, status) in [
            ("PT409", 409),
            ("PT413", 413),
            ("PT501", 501),
            ("42501", 403),
            ("23505", 409),
            ("22P02", 400),
            ("42P01", 500),
            ("57014", 500),
            ("53300", 503),
            ("57P01", 503),
            ("XX000", 500),
            ("P0001", 400),
        ] {
            assert_eq!(status_of(sqlstate).map(|status| status.as_u16()), Some(status), "{sqlstate}");
        }
        assert_eq!(
            usual_hint("23505").as_deref(),
            Some("The row already exists. Read it, or send another key.")
        );
        assert!(usual_hint("22P02").is_some() && usual_hint("P0001").is_none());
        assert_eq!(shortened(&"é".repeat(9000)).chars().count(), 8001);
        assert_eq!(status_of("PTxyz"), None);
        assert_eq!(status_of("x"), None);
    }
}
