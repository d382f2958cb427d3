//! The JSON that Postgres builds. It has no other Rust type, because the edge passes it on as text; here each shape is described
//! once, for all responses that contain it. The names are those of the SQL functions: `session_record()` is [`Session`].
//!
//! Invariant: nothing constructs these types. That responses have these members, all of them and no others, is proved by
//! `tests/e2e/described.test.mjs`.
#![expect(dead_code, reason = "only the schemas of these types are used")]
#![expect(clippy::struct_field_names, reason = "members are named as SQL names them")]

mod documents;
mod organizations;
mod search;
mod service;
mod sessions;

pub(crate) use documents::*;
pub(crate) use organizations::*;
pub(crate) use search::*;
pub(crate) use service::*;
pub(crate) use sessions::*;

use utoipa::ToSchema;

/// A time as in RFC 3339, in UTC with microseconds.
#[derive(ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-12-01T09:30:00.123456+00:00")]
pub(crate) struct Time(String);

/// A JSON object that the app defines.
#[derive(ToSchema)]
#[schema(value_type = Object, example = json!({"source": "scan"}))]
pub(crate) struct Metadata(serde_json::Value);

/// An error.
#[derive(ToSchema)]
pub(crate) struct Error {
    /// For programs: an SQLSTATE, or `PT` and the status.
    #[schema(example = "PT404")]
    code: String,
    /// The problem, for people.
    #[schema(example = "Session not found")]
    message: String,
    /// What was sent, and the rule. For a few codes a string of JSON.
    #[schema(required)]
    details: Option<String>,
    /// What to do next.
    #[schema(required)]
    hint: Option<String>,
    /// Of an upload as a form: the error of each file. This one is the first.
    errors: Option<Vec<FileError>>,
}

/// Why a file of a form was not stored.
#[derive(ToSchema)]
pub(crate) struct FileError {
    /// The place of the file in the request, from 0.
    #[schema(minimum = 0)]
    index: i32,
    name: String,
    code: String,
    message: String,
    #[schema(required)]
    details: Option<String>,
    #[schema(required)]
    hint: Option<String>,
}
