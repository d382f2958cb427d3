//! What the API serves, a folder or a file for each resource: its handlers, its SQL and its refusals.

pub(crate) mod context;
pub(crate) mod demo;
pub(crate) mod documents;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod home;
pub(crate) mod limits;
mod list;
pub(crate) mod organizations;
pub(crate) mod pack;
pub(crate) mod search;
pub(crate) mod sessions;
pub(crate) mod transfer;
pub(crate) mod upload;
