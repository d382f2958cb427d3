//! Resumable uploads by tus 1.0.0: `/api/uploads`, with creation, creation-with-upload, creation-defer-length, expiration,
//! checksum and termination.
//!
//! The id of an upload is that of its document. Its state is in the database, so any edge can continue it.
//! Invariant: a request that sends bytes holds its upload, by a random key. It runs in a task of its own: once its bytes have
//! arrived they are stored, whatever becomes of the client.
//! Invariant: a response never derives the address of an upload from what the client says about the host that it called.

mod checksum;
mod create;
mod hold;
mod list;
mod metadata;
mod patch;
mod protocol;
mod state;

pub(crate) use create::create;
pub(crate) use list::{ListQuery, list};
pub(crate) use patch::patch;
pub(crate) use protocol::versioned;
pub(crate) use state::{head, options, overridden, terminate};
