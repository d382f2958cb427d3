//! Refusals of a request for which no place is free.

use super::Problem;
use crate::fair::{Full, Name, Share};
use http::StatusCode;

/// Something of which the edge has a limited number, and the settings that divide it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scarce {
    /// In the plural, as the subject of "are in progress".
    pub(crate) name: &'static str,
    pub(crate) total: &'static str,
    pub(crate) per_user: &'static str,
    pub(crate) per_organization: &'static str,
}

/// The refusal of a caller that has not read enough of the earlier responses.
pub(crate) fn too_much_unread(full: &Full) -> Problem {
    let (status, whose) = match full.share {
        Share::All => (StatusCode::SERVICE_UNAVAILABLE, "all clients"),
        Share::User | Share::Group => (StatusCode::TOO_MANY_REQUESTS, "you"),
    };
    let mut problem = Problem::new(status, "Too many large responses have not been read yet")
        .details(format!(
            "This edge holds {} KiB of them for {whose} (RESPONSE_BYTES_IN_FLIGHT).",
            full.places
        ))
        .hint("Read the earlier responses, and retry after the number of seconds in Retry-After.");
    problem.retry_after = Some(full.retry_after.as_secs() + 1);
    problem
}

impl Scarce {
    /// The refusal: 429 if the share of the caller is used up, 503 if everything is in use.
    pub(crate) fn refuse(&self, full: &Full) -> Problem {
        const LATER: &str = "Retry after the number of seconds in Retry-After.";
        let (name, places) = (self.name, full.places);
        let mut problem = match full.share {
            Share::All => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("This edge has too many {name} in progress"),
            )
            .details(format!("It accepts {places} at the same time ({}).", self.total))
            .hint(LATER),
            share => {
                let holder = match &full.holder {
                    Name::User(_) | Name::Service => "You have",
                    Name::Organization(_) => "Your organization has",
                    Name::Address(_) => "Your address has",
                };
                let setting = if share == Share::User { self.per_user } else { self.per_organization };
                Problem::new(StatusCode::TOO_MANY_REQUESTS, format!("{holder} too many {name} in progress"))
                    .details(format!("This edge allows {places} at the same time ({setting})."))
                    .hint(LATER)
            }
        };
        problem.retry_after = Some(full.retry_after.as_secs() + 1);
        problem
    }
}
