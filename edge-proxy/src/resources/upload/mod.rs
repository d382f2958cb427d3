//! `POST /api/documents`: writes the files of a form to chunk rows, in constant memory.
//!
//! Invariant: an upload holds the chunk that it fills, and up to two chunks that are being appended. The number of
//! appends is limited, so memory hardly grows with the number of uploads.
//! Invariant: no database connection is held while waiting for the client.
//! Invariant: an upload that does not end in `finish_upload` ends in `abort_upload`. A refused one is aborted before its
//! response is sent.

mod handler;
mod multipart;
mod open_upload;
mod receive;
mod refusal;
mod upload_response;

pub(crate) use handler::upload;
