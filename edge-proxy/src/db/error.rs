//! What Postgres refused, and which HTTP status that is.

use crate::db::Role;
use crate::http::{ApiError, Problem};
use deadpool_postgres::{PoolError, TimeoutType};
use http::StatusCode;
use std::borrow::Cow;
use std::error::Error as StdError;

/// Why a statement gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// Postgres said no, or broke down.
    #[error("postgres: {0}")]
    Postgres(#[from] tokio_postgres::Error),
    /// The login role may not become the caller's role.
    #[error("the login role cannot become the caller's role (run `dossier-edge check`): {0}")]
    Identity(#[source] tokio_postgres::Error),
    /// All connections were in use for too long.
    #[error("no connection was free in time")]
    Busy,
    /// No connection could be made.
    #[error("cannot connect to postgres: {0}")]
    Unreachable(#[source] Box<dyn StdError + Send + Sync>),
    /// A function that answers with a row gave none.
    #[error("postgres gave no row")]
    NoRow,
    /// What is read piece by piece is no longer what it was.
    #[error("what is being read was deleted or changed meanwhile")]
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

    /// The status that Postgres's answer stands for, when it is the client's business.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        status_of(self.sqlstate()?)
    }

    /// The same refusal, seen by an anonymous caller: signing in might help.
    pub(crate) fn seen_by(self, role: Role) -> ApiError {
        match ApiError::from(self) {
            ApiError::Refused(mut problem) if role == Role::Anon && problem.code == "42501" => {
                problem.status = StatusCode::UNAUTHORIZED;
                ApiError::Refused(problem)
            }
            error => error,
        }
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
    /// A refusal that Postgres raised for the caller goes to the caller; everything else only to the log.
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Postgres(cause) => {
                if error.sqlstate().is_some_and(|sqlstate| NUL.contains(&sqlstate)) {
                    return Self::Refused(
                        Problem::bad_request("a text holds the character U+0000, which cannot be stored")
                            .hint("Remove it, and send the request again."),
                    );
                }
                let (Some(raised), Some(status)) = (cause.as_db_error(), error.status()) else {
                    return if cause.as_db_error().is_none() {
                        unavailable(&error)
                    } else {
                        Self::internal(error)
                    };
                };
                // 501 is for the client to know: what this database is not set up for, and what would do it.
                if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED {
                    return if status == StatusCode::SERVICE_UNAVAILABLE {
                        unavailable(&error)
                    } else {
                        Self::internal(error)
                    };
                }
                Self::Refused(Problem {
                    status,
                    code: raised.code().code().to_owned().into(),
                    message: shortened(raised.message()),
                    details: raised.detail().map(shortened),
                    hint: raised.hint().map(shortened).or_else(|| usual_hint(raised.code().code())),
                })
            }
            DbError::Busy | DbError::Unreachable(_) => unavailable(&error),
            DbError::Changed => {
                Problem::new(StatusCode::CONFLICT, "what is being read was deleted or changed meanwhile")
                    .hint("Ask again for what is there now.")
                    .into()
            }
            DbError::Identity(_) | DbError::NoRow | DbError::Setup(_) => Self::internal(error),
        }
    }
}

/// What Postgres raises for U+0000: in a text, and escaped in JSON.
const NUL: [&str; 2] = ["22021", "22P05"];

/// Postgres quotes what it does not understand, a megabyte if need be.
fn shortened(text: &str) -> Cow<'static, str> {
    const LONGEST: usize = 8000;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.to_owned().into(),
    }
}

/// What to do about an error that Postgres raised by itself; Dossier's own say it.
fn usual_hint(sqlstate: &str) -> Option<Cow<'static, str>> {
    let hint = match sqlstate {
        "42501" => "It needs the token of a user who may do this.",
        "23505" => "There is one already: read it, or send another key.",
        "23503" => "What is named does not exist, or is still in use: check the ids.",
        _ => match sqlstate.get(..2)? {
            "22" | "23" => "The message names the value: send one that it allows.",
            _ => return None,
        },
    };
    Some(hint.into())
}

fn unavailable(error: &DbError) -> ApiError {
    tracing::error!("{}", crate::http::Chain(error));
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
        .hint("Try again in a moment.")
        .into()
}

/// The HTTP status of a SQLSTATE, as `PostgREST` maps it. `None`: not a status that it can be.
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
            // 42 too: PostgREST's client names the tables and functions, here the edge does.
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
            Some("There is one already: read it, or send another key.")
        );
        assert!(usual_hint("22P02").is_some() && usual_hint("P0001").is_none());
        assert_eq!(shortened(&"é".repeat(9000)).chars().count(), 8001);
        assert_eq!(status_of("PTxyz"), None);
        assert_eq!(status_of("x"), None);
    }
}
