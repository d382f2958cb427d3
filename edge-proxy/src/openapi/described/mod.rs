//! A description for each route, a file for each subject.

pub(crate) mod context;
pub(crate) mod documents;
pub(crate) mod organizations;
pub(crate) mod pages;
pub(crate) mod search;
pub(crate) mod service;
pub(crate) mod sessions;
pub(crate) mod transfer;
pub(crate) mod uploads;

use super::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr};

/// The subjects, in the order of the document.
pub(super) const TAGS: [(&str, &str); 8] = [
    (SESSIONS, "Conversations, and the trash."),
    (CONTEXT, "Notes and metadata of a session, with every version."),
    (DOCUMENTS, "Files, their text page by page, and their thumbnails."),
    (UPLOADS, "Uploads that can be resumed, by tus 1.0.0."),
    (SEARCH, "Search, and text for prompts."),
    (ORGANIZATIONS, "Tenants, their members, and invitations."),
    (TRANSFER, "Export and import."),
    (SERVICE, "The edge itself."),
];
const SESSIONS: &str = "Sessions";
const CONTEXT: &str = "Context";
const DOCUMENTS: &str = "Documents";
const UPLOADS: &str = "Resumable uploads";
const SEARCH: &str = "Search";
const ORGANIZATIONS: &str = "Organizations";
const TRANSFER: &str = "Transfer";
const SERVICE: &str = "Service";

/// Bytes of any kind.
fn bytes() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
        .into()
}

fn text() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).into()
}

fn whole_number() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .into()
}

/// One of these texts.
fn one_of(values: &[&str]) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values.iter().copied())).into()
}
