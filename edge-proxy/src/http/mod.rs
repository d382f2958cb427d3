//! HTTP for every resource: reading requests, writing responses, and one shape for errors.
//!
//! Invariant: knows no resource, no database and no [`App`](crate::app::App). Limits arrive as arguments or through
//! `FromRef`.

mod attachment;
mod cursor;
mod encoding;
mod error;
mod json_words;
mod preconditions;
mod prefer;
mod query;
mod range;
mod request;
mod response;
mod scarce;

pub(crate) use attachment::attachment;
pub(crate) use cursor::{Page, Paging, limit};
pub(crate) use encoding::plain_body;
pub(crate) use error::{ApiError, Chain, ClientFacing, Problem};
pub(crate) use preconditions::{Preconditions, conditional_read, without_version};
pub(crate) use prefer::Prefer;
pub(crate) use query::{NoKeys, Query, unknown_parameter};
pub(crate) use range::{RequestedRange, requested_range};
pub(crate) use request::{
    Id, Json, JsonLimit, Number, OptionalJson, UserId, check_json, client_address, json_text, too_deep,
};
pub(crate) use response::{ChangedNothing, found, json, not_found, unchanged};
pub(crate) use scarce::{Scarce, too_much_unread};

/// The media type of event streams.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// The header that connects a response to its log lines.
pub(crate) const REQUEST_ID: &str = "x-request-id";
