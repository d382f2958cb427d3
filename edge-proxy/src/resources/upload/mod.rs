//! Uploads: `POST /api/documents` writes the files of a form to chunk rows, and [`tus`] those of resumable uploads. Both go
//! through [`store`], in constant memory.
//!
//! Invariant: an upload holds the chunk that it fills, and up to two chunks that are being appended. The number of
//! appends is limited, so memory hardly grows with the number of uploads.
//! Invariant: no database connection is held while waiting for the client, and no place of an upload before the database has
//! accepted the file and its first bytes have arrived.
//! Invariant: an upload of a form that does not end in `finish_upload` ends in `abort_upload`. A refused one is aborted before its
//! response is sent.

mod explain;
mod handler;
mod multipart;
mod open_upload;
mod part;
mod receive;
mod refusal;
mod store;
pub(crate) mod tus;
mod upload_response;

pub(crate) use explain::{Planned, explain};
pub(crate) use handler::{UploadQuery, upload};
