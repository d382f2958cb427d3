//! What the edge says about itself.

use utoipa::ToSchema;

/// That the process responds.
#[derive(ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: String,
    version: String,
}

/// Whether the edge can serve requests.
#[derive(ToSchema)]
pub(crate) struct Readiness {
    /// `ok` or `not ready`.
    status: String,
    checks: ReadinessChecks,
}

/// Each `ok`, or the reason why it is not.
#[derive(ToSchema)]
pub(crate) struct ReadinessChecks {
    database: String,
    /// Null if tokens are verified with a secret.
    #[schema(required)]
    keys: Option<String>,
    /// Without notifications the edge polls.
    notifications: String,
}

/// Limits of uploads and contexts: the smaller one, if the database and the edge both have one.
#[derive(ToSchema)]
pub(crate) struct Limits {
    max_file_bytes: i64,
    chunk_bytes: i64,
    allowed_media_types: Vec<String>,
    max_name_length: i32,
    max_context_bytes: i64,
    max_pack_tokens: i64,
    max_files_per_request: i64,
    max_request_bytes: i64,
    max_json_bytes: i64,
}
