//! Large responses that wait in memory until their clients have read them.
//!
//! Invariant: a change that was made is reported. Its response is sent even if it exceeds the share of its user, who then
//! begins nothing until it is read (`db::Shares`).

use crate::fair::{Party, Place, Places};
use crate::http::{Problem, too_much_unread};
use std::net::IpAddr;

const KIB: u64 = 1024;
/// Smaller responses do not count, in KiB.
const LARGE: usize = 64;

/// A response that is about to be sent.
pub(super) struct Unsent<'a> {
    pub(super) bytes: u64,
    /// Whether the request has changed something, so that it cannot be refused any more.
    pub(super) reports_a_change: bool,
    pub(super) user: Option<&'a str>,
    pub(super) address: Option<IpAddr>,
}

/// KiB of responses.
pub(super) struct Unread(Places);

impl Unread {
    pub(super) fn new(kib: Places) -> Self {
        Self(kib)
    }

    /// The right to hold a response. `None`: it is so small that it needs none.
    pub(super) fn hold(&self, response: &Unsent<'_>) -> Result<Option<Place>, Problem> {
        let kib = usize::try_from(response.bytes / KIB).unwrap_or(usize::MAX);
        if kib < LARGE {
            return Ok(None);
        }
        let anonymous = || Party::anonymous(response.address);
        let party = response.user.map_or_else(anonymous, |user| Party::user(user, response.address));
        if response.reports_a_change {
            return Ok(Some(self.0.take_anyway(&party, kib)));
        }
        self.0.try_take_several(&party, kib).map(Some).map_err(|full| too_much_unread(&full))
    }
}
