//! Organizations, their members and their usage.

use super::Time;
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a member may do. Each role includes the ones before it.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Role {
    Viewer,
    Member,
    Admin,
    Owner,
}

/// A tenant.
#[derive(ToSchema)]
pub(crate) struct Organization {
    id: Uuid,
    name: String,
    /// The caller's. Null for services.
    #[schema(required)]
    role: Option<Role>,
    /// Null if the app manages organizations.
    #[schema(required)]
    created_at: Option<Time>,
    #[schema(required)]
    updated_at: Option<Time>,
}

/// The caller's organizations.
#[derive(ToSchema)]
pub(crate) struct Organizations {
    organizations: Vec<Organization>,
    /// Send it as `after`. Null on the last page.
    #[schema(required)]
    next: Option<Uuid>,
}

/// A user who belongs to an organization, or is invited to it.
#[derive(ToSchema)]
pub(crate) struct Member {
    /// The subject of the user's token.
    user_id: String,
    role: Role,
    created_at: Time,
    /// Null: invited, but not a member yet.
    #[schema(required)]
    accepted_at: Option<Time>,
}

/// Members and invited users.
#[derive(ToSchema)]
pub(crate) struct Members {
    members: Vec<Member>,
    /// Send it as `after`. Null on the last page.
    #[schema(required)]
    next: Option<String>,
}

/// An invitation to an organization.
#[derive(ToSchema)]
pub(crate) struct Invitation {
    organization_id: Uuid,
    organization_name: String,
    role: Role,
    created_at: Time,
}

/// The caller's invitations.
#[derive(ToSchema)]
pub(crate) struct Invitations {
    invitations: Vec<Invitation>,
}

/// What an organization stores and used since midnight UTC, and its quotas. A null quota is unlimited.
#[derive(ToSchema)]
pub(crate) struct Usage {
    /// The sum of the following, without `trashed_bytes`, which is a part of it.
    bytes: i64,
    documents: i64,
    documents_today: i64,
    extraction_seconds_today: f64,
    #[schema(required)]
    max_bytes: Option<i64>,
    #[schema(required)]
    max_documents: Option<i64>,
    #[schema(required)]
    max_documents_a_day: Option<i64>,
    #[schema(required)]
    max_extraction_seconds_a_day: Option<i64>,
    trashed_bytes: i64,
    trashed_documents: i64,
    file_bytes: i64,
    text_bytes: i64,
    context_bytes: i64,
    metadata_bytes: i64,
    thumbnail_bytes: i64,
    import_bytes: i64,
}

/// What the erasure of an organization removed.
#[derive(ToSchema)]
pub(crate) struct ErasureReceipt {
    receipt_id: Uuid,
    kind: String,
    /// The digest of the id of what was erased.
    subject_sha256: String,
    /// How many of each.
    erased: HashMap<String, i64>,
    erased_at: Time,
}
