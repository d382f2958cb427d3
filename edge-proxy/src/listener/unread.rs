//! Large responses that wait in memory until their clients have read them.

use crate::fair::{Full, Limits, Party, Place, Places, Share};
use crate::http::Problem;
use http::StatusCode;
use std::net::IpAddr;

const KIB: u64 = 1024;
/// Smaller responses do not count, in KiB.
const LARGE: usize = 256;

/// KiB of responses.
pub(super) struct Unread(Places);

impl Unread {
    pub(super) fn new(kib: usize) -> Self {
        // One user, and one address, leaves most of it to others.
        Self(Places::new(Limits {
            total: kib,
            per_user: kib.div_ceil(4),
            per_organization: kib.div_ceil(2),
            waiting: 0,
        }))
    }

    /// The right to hold a response of `bytes`. `None`: it is so small that it needs none.
    pub(super) fn hold(
        &self,
        bytes: u64,
        user: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<Option<Place>, Problem> {
        let kib = usize::try_from(bytes / KIB).unwrap_or(usize::MAX);
        if kib < LARGE {
            return Ok(None);
        }
        let party = user.map_or_else(|| Party::anonymous(address), |user| Party::user(user, address));
        self.0.try_take_several(&party, kib).map(Some).map_err(|full| too_much_unread(&full))
    }
}

fn too_much_unread(full: &Full) -> Problem {
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
