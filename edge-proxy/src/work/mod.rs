//! Work that no request waits for: the job loop, and the notifications that wake it.

mod events;
pub(crate) mod jobs;

pub(crate) use events::Events;
