//! Background work: the job loop, and the notifications that wake it.

mod events;
pub(crate) mod jobs;
mod watchers;

pub(crate) use events::Events;
pub(crate) use watchers::{News, TooMany, Watcher};
