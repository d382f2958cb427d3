//! The organization of each user, whose share the user's requests use.
//!
//! It is read together with a statement that the user sends anyway, once per minute, as that user. So it costs no round trip,
//! and nobody can name the organization of somebody else.

use super::Statement;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The oldest organization of the caller. Users with several use the share of that one.
pub(super) const FIND: Statement<'static> = Statement {
    sql: "select o.id from dossier.organizations as o order by o.created_at, o.id limit 1",
    params: &[],
};

/// A user may join or leave an organization.
const KNOWN_FOR: Duration = Duration::from_mins(1);
const MOST: usize = 16_384;

/// What is known of a user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home {
    /// `None`: the user has none.
    pub(super) organization: Option<Uuid>,
    since: Instant,
}

impl Home {
    fn is_recent(&self) -> bool {
        self.since.elapsed() < KNOWN_FOR
    }
}

/// The organization of each user who was here within the last minute.
#[derive(Debug, Clone, Default)]
pub(super) struct Homes(Arc<Mutex<HashMap<Arc<str>, Home>>>);

impl Homes {
    /// `None`: not known.
    pub(super) fn of(&self, user: &str) -> Option<Home> {
        let homes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        homes.get(user).filter(|home| home.is_recent()).copied()
    }

    pub(super) fn learn(&self, user: &Arc<str>, organization: Option<Uuid>) {
        let mut homes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if homes.len() >= MOST {
            homes.retain(|_, home| home.is_recent());
            if homes.len() >= MOST {
                homes.clear();
            }
        }
        homes.insert(Arc::clone(user), Home { organization, since: Instant::now() });
    }
}
