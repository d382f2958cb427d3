//! Requests that watch a session: which of them a notification concerns, and how many there may be.
//!
//! Invariant: a watcher learns that something happened, never what. It reads the changes itself, as its caller. So a slow
//! reader has no queue: when it reads, it reads the present.

use crate::config;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Notify;
use uuid::Uuid;

/// The most deleted documents that a watcher learns by id. Beyond them, its client has to list the documents again.
const MOST_DELETED: usize = 200;

/// All watchers of this edge. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Watchers(Arc<Registry>);

struct Registry {
    limits: config::Events,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: HashMap<Uuid, Vec<Arc<Signal>>>,
    users: HashMap<Box<str>, usize>,
    count: usize,
}

/// Why a request may not watch. The number is the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooMany {
    OfThisUser(usize),
    OfThisEdge(usize),
}

/// What happened since a watcher last asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// Notifications may have been missed.
    pub(crate) missed: bool,
    /// Documents of the session that were deleted, unless they were missed.
    pub(crate) deleted: Vec<Uuid>,
}

impl News {
    /// Adds later news.
    pub(crate) fn add(&mut self, later: Self) {
        self.missed |= later.missed;
        self.deleted.extend(later.deleted);
        if self.deleted.len() > MOST_DELETED {
            self.missed = true;
            self.deleted = Vec::new();
        }
    }
}

#[derive(Default)]
struct Signal {
    news: Mutex<News>,
    organization: OnceLock<Uuid>,
    wake: Notify,
}

impl Signal {
    fn tell(&self, missed: bool, deleted: &[Uuid]) {
        locked(&self.news).add(News { missed, deleted: deleted.to_vec() });
        self.wake.notify_one();
    }
}

impl Watchers {
    pub(crate) fn new(limits: config::Events) -> Self {
        Self(Arc::new(Registry { limits, state: Mutex::default() }))
    }

    /// Watches a session until the watcher is dropped. Services have no user, and no limit of their own.
    pub(crate) fn watch(&self, session: Uuid, user: Option<&str>) -> Result<Watcher, TooMany> {
        let config::Events { streams, per_user } = self.0.limits;
        let mut state = locked(&self.0.state);
        if state.count >= streams {
            return Err(TooMany::OfThisEdge(streams));
        }
        if let Some(user) = user {
            match state.users.get_mut(user) {
                Some(count) if *count >= per_user => return Err(TooMany::OfThisUser(per_user)),
                Some(count) => *count += 1,
                None => {
                    state.users.insert(user.into(), 1);
                }
            }
        }
        state.count += 1;
        let signal = Arc::<Signal>::default();
        state.sessions.entry(session).or_default().push(Arc::clone(&signal));
        Ok(Watcher { watchers: self.clone(), session, user: user.map(Into::into), signal })
    }

    /// Something has changed in these sessions.
    pub(super) fn changed(&self, sessions: &[Uuid], deleted_documents: &[Uuid]) {
        let state = locked(&self.0.state);
        for signal in sessions.iter().filter_map(|session| state.sessions.get(session)).flatten() {
            signal.tell(false, deleted_documents);
        }
    }

    /// Membership has changed in these organizations. `None`: in any.
    pub(super) fn members_changed(&self, organizations: Option<&[Uuid]>) {
        for signal in locked(&self.0.state).sessions.values().flatten() {
            let concerned = |ids: &[Uuid]| signal.organization.get().is_none_or(|id| ids.contains(id));
            if organizations.is_none_or(concerned) {
                signal.tell(false, &[]);
            }
        }
    }

    /// Notifications may have been missed, or will be from now on.
    pub(super) fn missed(&self) {
        for signal in locked(&self.0.state).sessions.values().flatten() {
            signal.tell(true, &[]);
        }
    }
}

/// A request that watches a session.
pub(crate) struct Watcher {
    watchers: Watchers,
    session: Uuid,
    user: Option<Box<str>>,
    signal: Arc<Signal>,
}

impl Watcher {
    pub(crate) fn session(&self) -> Uuid {
        self.session
    }

    /// The organization of the session, once it is known. Changes of its members wake the watcher.
    pub(crate) fn belongs_to(&self, organization: Uuid) {
        let _ = self.signal.organization.set(organization);
    }

    pub(crate) fn organization(&self) -> Option<Uuid> {
        self.signal.organization.get().copied()
    }

    /// Returns when something has happened since the last call.
    pub(crate) async fn woken(&self) {
        self.signal.wake.notified().await;
    }

    /// What happened since the last call.
    pub(crate) fn news(&self) -> News {
        std::mem::take(&mut locked(&self.signal.news))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut state = locked(&self.watchers.0.state);
        state.count -= 1;
        if let Some(signals) = state.sessions.get_mut(&self.session) {
            signals.retain(|signal| !Arc::ptr_eq(signal, &self.signal));
            if signals.is_empty() {
                state.sessions.remove(&self.session);
            }
        }
        if let Some(user) = &self.user
            && let Some(count) = state.users.get_mut(user)
        {
            *count -= 1;
            if *count == 0 {
                state.users.remove(user);
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn watchers() -> Watchers {
        Watchers::new(config::Events { streams: 3, per_user: 2 })
    }

    fn woken(watcher: &Watcher) -> bool {
        watcher.woken().now_or_never().is_some()
    }

    #[test]
    fn only_watchers_of_the_session_are_woken() {
        let (watchers, here, there) = (watchers(), Uuid::from_u128(1), Uuid::from_u128(2));
        let (one, other) = (watchers.watch(here, None).unwrap(), watchers.watch(there, None).unwrap());
        watchers.changed(&[here], &[Uuid::from_u128(7)]);
        assert!(woken(&one) && !woken(&other));
        assert_eq!(one.news().deleted, [Uuid::from_u128(7)]);
        assert_eq!(other.news(), News::default());
        assert!(!woken(&one), "once for any number of changes");
    }

    #[test]
    fn members_concern_watchers_of_their_organization() {
        let (watchers, id) = (watchers(), Uuid::from_u128);
        let (one, other, new) =
            (watchers.watch(id(1), None), watchers.watch(id(2), None), watchers.watch(id(3), None));
        let (one, other, new) = (one.unwrap(), other.unwrap(), new.unwrap());
        one.belongs_to(id(10));
        other.belongs_to(id(20));
        watchers.members_changed(Some(&[id(10)]));
        assert!(woken(&one) && !woken(&other) && woken(&new), "an unknown organization could be this one");
        watchers.members_changed(None);
        assert!(woken(&one) && woken(&other));
    }

    #[test]
    fn many_deletions_are_not_listed() {
        let watchers = watchers();
        let watcher = watchers.watch(Uuid::nil(), None).unwrap();
        for n in 0..1000 {
            watchers.changed(&[Uuid::nil()], &[Uuid::from_u128(n)]);
        }
        let news = watcher.news();
        assert!(news.missed && news.deleted.len() <= MOST_DELETED);
    }

    #[test]
    fn places_are_limited_and_returned() {
        let watchers = watchers();
        let watch = |user| watchers.watch(Uuid::nil(), user);
        let (first, second) = (watch(Some("a")).unwrap(), watch(Some("a")).unwrap());
        assert_eq!(watch(Some("a")).err(), Some(TooMany::OfThisUser(2)));
        let third = watch(Some("b")).unwrap();
        assert_eq!(watch(None).err(), Some(TooMany::OfThisEdge(3)));
        drop((first, second, third));
        let state = locked(&watchers.0.state);
        assert!(state.count == 0 && state.users.is_empty() && state.sessions.is_empty());
    }
}
