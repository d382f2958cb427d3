//! `POST /api/documents`: files from a form into chunk rows, with constant memory.
//!
//! Invariant: an upload holds the chunk that it fills, and those (two at most) that have a place among the
//! appends; there are few places, so memory hardly grows with the number of uploads.
//! Invariant: no database connection is held while waiting for the client.
//! Invariant: an upload that does not end in `finish_upload` ends in `abort_upload`, a refused one before its answer.

mod handler;
mod multipart;
mod open_upload;
mod receive;
mod refusal;
mod upload_response;

pub(crate) use handler::upload;
