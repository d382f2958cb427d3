//! `POST /api/documents`: files from a form into chunk rows, with constant memory.
//!
//! Invariant: an upload in flight holds at most two chunks; a second one is filled only while the first
//! already has a database connection.
//! Invariant: no database connection is held while waiting for the client.
//! Invariant: an upload that does not end in `finish_upload` ends in `abort_upload`.

mod handler;
mod multipart;
mod outcome;
mod pending;
mod receive;

pub(crate) use handler::upload;
pub(crate) use receive::hex;
