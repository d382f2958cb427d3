//! Sessions, their contexts, and what is made of both.

use super::{DocumentEvent, DocumentStatus, Metadata, Time};
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Whether a session is in use.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum SessionStatus {
    Active,
    Archived,
}

/// A conversation.
#[derive(ToSchema)]
pub(crate) struct Session {
    id: Uuid,
    organization_id: Uuid,
    /// Who created it: the subject of that user's token.
    user_id: String,
    #[schema(required)]
    title: Option<String>,
    /// `sales_call`, `interview`, `meeting`, `consultation`, or a type that the operator has added.
    conversation_type: String,
    status: SessionStatus,
    created_at: Time,
    updated_at: Time,
}

/// A conversation with its context.
#[derive(ToSchema)]
pub(crate) struct SessionWithContext {
    id: Uuid,
    organization_id: Uuid,
    /// Who created it: the subject of that user's token.
    user_id: String,
    #[schema(required)]
    title: Option<String>,
    /// `sales_call`, `interview`, `meeting`, `consultation`, or a type that the operator has added.
    conversation_type: String,
    status: SessionStatus,
    created_at: Time,
    updated_at: Time,
    /// Null if none was saved yet.
    #[schema(required)]
    context: Option<Context>,
}

/// A session in the trash.
#[derive(ToSchema)]
pub(crate) struct DeletedSession {
    id: Uuid,
    organization_id: Uuid,
    user_id: String,
    #[schema(required)]
    title: Option<String>,
    conversation_type: String,
    deleted_at: Time,
    /// Null if a service deleted it.
    #[schema(required)]
    deleted_by: Option<String>,
    /// When it will be deleted permanently.
    purge_at: Time,
}

/// Sessions, or with `deleted=true` those in the trash.
#[derive(ToSchema)]
pub(crate) struct Sessions {
    sessions: Vec<ListedSession>,
    /// Send it as `after`. Null on the last page.
    #[schema(required)]
    next: Option<String>,
}

/// A row of a list of sessions.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum ListedSession {
    Session(Session),
    Deleted(DeletedSession),
}

/// The first context of a session. `text` and `metadata` are accepted instead.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSessionContext {
    text_context: Option<String>,
    context_metadata: Option<Metadata>,
}

/// Changes of a session. Omitted members stay as they are.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionChanges {
    /// Null removes the title.
    #[schema(max_length = 500)]
    title: Option<String>,
    #[schema(nullable = false)]
    conversation_type: Option<String>,
    #[schema(nullable = false)]
    status: Option<SessionStatus>,
}

/// The context of a session. `version` is 0, and the time is null, if none was saved yet.
#[derive(ToSchema)]
pub(crate) struct Context {
    text_context: String,
    context_metadata: Metadata,
    /// Send it as `expected_version` with the next save.
    #[schema(minimum = 0)]
    version: i32,
    #[schema(required)]
    updated_at: Option<Time>,
    /// Null if a service saved it.
    #[schema(required)]
    updated_by: Option<String>,
}

/// The context of one of several sessions. Omitted members stay as they are.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContextItem {
    session_id: Uuid,
    text_context: Option<String>,
    context_metadata: Option<Metadata>,
    /// The version that the change is based on. 0: there must be no context yet.
    #[schema(minimum = 0, maximum = 999_999_999)]
    expected_version: Option<i32>,
    /// Whether the metadata is a JSON merge patch.
    merge_metadata: Option<bool>,
}

/// A context that was saved together with others.
#[derive(ToSchema)]
pub(crate) struct SavedContext {
    session_id: Uuid,
    text_context: String,
    context_metadata: Metadata,
    #[schema(minimum = 1)]
    version: i32,
    updated_at: Time,
    #[schema(required)]
    updated_by: Option<String>,
}

/// The saved contexts, in the order of the request.
#[derive(ToSchema)]
pub(crate) struct SavedContexts {
    contexts: Vec<SavedContext>,
}

/// A version in the history of a context.
#[derive(ToSchema)]
pub(crate) struct ContextVersion {
    #[schema(minimum = 1)]
    version: i32,
    updated_at: Time,
    #[schema(required)]
    updated_by: Option<String>,
    text_changed: bool,
    metadata_changed: bool,
    text_bytes: i32,
    /// The first 200 characters.
    text_start: String,
}

/// The history of a context, newest first.
#[derive(ToSchema)]
pub(crate) struct ContextVersions {
    versions: Vec<ContextVersion>,
    /// Send it as `after`. Null on the last page.
    #[schema(required)]
    next: Option<i32>,
}

/// The difference between two versions.
#[derive(ToSchema)]
pub(crate) struct ContextDiff {
    from: i32,
    #[schema(required)]
    to: Option<i32>,
    /// In reading order: the lines of the text, then the keys of the metadata. Empty if the versions are equal.
    changes: Vec<ContextChange>,
}

/// A line of a difference.
#[derive(ToSchema)]
pub(crate) struct ContextChange {
    part: ContextPart,
    /// Changes with the same number are next to each other.
    #[schema(required)]
    hunk: Option<i32>,
    change: LineChange,
    #[schema(required)]
    from_line: Option<i32>,
    #[schema(required)]
    to_line: Option<i32>,
    line: String,
}

/// What a line of a difference belongs to.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ContextPart {
    Text,
    Metadata,
}

/// `same`: a line around a change.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum LineChange {
    Removed,
    Added,
    Same,
}

/// What has changed in a session.
#[derive(ToSchema)]
pub(crate) struct SessionNews {
    /// Send it as `Last-Event-ID` with the next request.
    id: String,
    /// Whether the list of documents has to be read again.
    reload: bool,
    session: Session,
    /// Null if it has not changed.
    #[schema(required)]
    context: Option<ContextEvent>,
    documents: Vec<DocumentEvent>,
    uploads: Vec<UploadEvent>,
}

/// That a context was saved.
#[derive(ToSchema)]
pub(crate) struct ContextEvent {
    version: i32,
    #[schema(required)]
    updated_by: Option<String>,
    updated_at: Time,
}

/// How far an upload is.
#[derive(ToSchema)]
pub(crate) struct UploadEvent {
    document_id: Uuid,
    received: i64,
    /// Null if it was not declared.
    #[schema(required)]
    size: Option<i64>,
}

/// A session as text for a prompt.
#[derive(ToSchema)]
pub(crate) struct Pack {
    /// Everything as Markdown.
    text: String,
    tokens: i32,
    max_tokens: i32,
    context: PackContext,
    quotes: Vec<PackQuote>,
    left_out: Vec<PackOmission>,
}

/// The context in a pack, shortened if it does not fit.
#[derive(ToSchema)]
pub(crate) struct PackContext {
    text_context: String,
    context_metadata: Metadata,
    version: i32,
    truncated: bool,
    metadata_left_out: bool,
}

/// Adjacent pages of a document in a pack.
#[derive(ToSchema)]
pub(crate) struct PackQuote {
    document_id: Uuid,
    document_name: String,
    first_page: i32,
    last_page: i32,
    /// The heading that the quote begins under.
    #[schema(required)]
    heading: Option<String>,
    text: String,
    tokens: i32,
    #[schema(required)]
    rank: Option<f64>,
    truncated: bool,
    /// Words of the query that the quote contains. Null without a query.
    #[schema(required)]
    contained: Option<Vec<String>>,
    #[schema(required)]
    missing: Option<Vec<String>>,
    /// What was searched for instead of misspelt words.
    #[schema(required)]
    corrected: Option<HashMap<String, String>>,
}

/// Pages that a pack does not quote.
#[derive(ToSchema)]
pub(crate) struct PackOmission {
    document_id: Uuid,
    document_name: String,
    /// `budget`, `no_match`, `duplicate`, `empty` or `not_ready`.
    reason: String,
    /// Missing if the document has no pages yet.
    #[schema(nullable = false)]
    pages: Option<Vec<PageRun>>,
    /// Why there are no pages, if `reason` is `not_ready`.
    #[schema(nullable = false)]
    status: Option<DocumentStatus>,
}

/// Consecutive pages.
#[derive(ToSchema)]
pub(crate) struct PageRun {
    first: i32,
    last: i32,
}

/// The new ids of an import.
#[derive(ToSchema)]
pub(crate) struct Imported {
    organization_id: Uuid,
    /// From the id in the bundle to the id in the database.
    sessions: HashMap<String, Uuid>,
    documents: HashMap<String, Uuid>,
}
