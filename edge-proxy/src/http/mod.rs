//! HTTP as every resource speaks it: requests are read, responses and errors written, in one form.
//!
//! Invariant: knows no resource, no database and no [`App`](crate::app::App); a limit arrives as an argument or
//! through `FromRef`.

mod attachment;
mod cursor;
mod error;
mod prefer;
mod range;
mod request;
mod response;

pub(crate) use attachment::attachment;
pub(crate) use cursor::{Page, Paging, behind_cursor, limit, numbered, page_json};
pub(crate) use error::{ApiError, Chain, ClientFacing, Problem};
pub(crate) use prefer::Prefer;
pub(crate) use range::{RequestedRange, requested_range};
pub(crate) use request::{Id, Json, JsonLimit, NoKeys, Query, read_json, too_deep};
pub(crate) use response::{found, json, not_found, unless_known};

/// The header that ties a response to its log lines.
pub(crate) const REQUEST_ID: &str = "x-request-id";
