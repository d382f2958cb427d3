//! Background work: the job loop, and the notifications that wake it.

mod events;
pub(crate) mod jobs;

pub(crate) use events::Events;
