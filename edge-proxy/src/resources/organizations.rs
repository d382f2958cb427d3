//! Organizations: listed, created, renamed and erased, their members, their usage, and invitations to them.
//!
//! Invariant: SQL checks every permission. The edge only passes values on.

use crate::app::App;
use crate::auth::Claims;
use crate::db::first;
use crate::http::{ApiError, Id, Json, NoKeys, Problem, Query, UserId, found, json, limit};
use crate::openapi::records::Role;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use std::sync::LazyLock;
use tokio_postgres::types::Type;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// SQL: `{"<key>": […], "next": the last id or null}`. `call` returns one row more than `$1`, in the order of `id`, which
/// shows that there is a next page.
fn page_by_id(key: &str, record: &str, id: &str, call: &str) -> String {
    format!(
        "with numbered as (select {record} as json, {id} as id, row_number() over () as n from {call} as found) \
         select json_build_object('{key}', coalesce(json_agg(json order by n) filter (where n <= $1), '[]'), \
         'next', case when count(*) > $1 then max(id::text) filter (where n = $1) end)::text from numbered"
    )
}

static LIST: LazyLock<String> = LazyLock::new(|| {
    let call = "dossier.list_organizations(limit_count => ($1 + 1)::integer, after => $2)";
    page_by_id("organizations", "dossier.organization_record(found)", "found.id", call)
});
const READ: &str = "select dossier.organization_record(o)::text from dossier.list_organizations($1) as o";
const CREATE: &str = "select dossier.create_organization_record($1)::text";
const RENAME: &str = "select dossier.organization_record(dossier.rename_organization($1, $2))::text";
const FORGET: &str = "select dossier.forget_organization($1)::text";
const USAGE: &str = "select row_to_json(used)::text from dossier.usage($1) as used";
static MEMBERS: LazyLock<String> = LazyLock::new(|| {
    let call = "dossier.list_members($3, limit_count => ($1 + 1)::integer, after_user_id => $2)";
    page_by_id("members", "dossier.member_record(found)", "found.user_id", call)
});
const ADD_MEMBER: &str =
    "select dossier.member_record(dossier.add_member($1, $2, coalesce($3, 'member')))::text";
const SET_ROLE: &str = "select dossier.member_record(dossier.set_member_role($1, $2, $3))::text";
const REMOVE_MEMBER: &str = "select dossier.remove_member($1, $2)";
const INVITATIONS: &str = "select json_build_object('invitations', coalesce(json_agg(row_to_json(invited)), '[]'))::text \
     from dossier.my_invitations() as invited";
const ACCEPT: &str = "select dossier.member_record(dossier.accept_invitation($1))::text";
const DECLINE: &str = "select dossier.decline_invitation($1)";

/// The query of `GET /api/organizations`. `after` is the last id of the previous page.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ListQuery {
    /// How many rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// The `next` of the previous page.
    after: Option<Uuid>,
}

/// The body of `POST /api/organizations` and `PATCH /api/organizations/{id}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrganizationName)]
pub(crate) struct Named {
    #[schema(required, nullable = false, min_length = 1, max_length = 200)]
    name: Option<String>,
}

/// `GET /api/organizations`.
pub(crate) async fn list(
    State(app): State<App>,
    claims: Claims,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let limit = limit(query.limit)?;
    let params = [(&limit as _, Type::INT8), (&query.after as _, Type::UUID)];
    Ok(json(StatusCode::OK, app.db.as_caller(&claims.caller).one(&LIST, &params).await?))
}

/// `POST /api/organizations`: the caller becomes the owner.
pub(crate) async fn create(
    State(app): State<App>,
    claims: Claims,
    _: Query<NoKeys>,
    Json(new): Json<Named>,
) -> Result<Response, ApiError> {
    let created = app.db.as_caller(&claims.caller).one(CREATE, &[(&new.name, Type::TEXT)]).await?;
    Ok(json(StatusCode::CREATED, created))
}

/// `GET /api/organizations/{id}`.
pub(crate) async fn read(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    found(app.db.as_caller(&claims.caller).json(READ, &[(&id, Type::UUID)]).await?, "organization", id)
}

/// `PATCH /api/organizations/{id}`.
pub(crate) async fn rename(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
    Json(new): Json<Named>,
) -> Result<Response, ApiError> {
    let params = [(&id as _, Type::UUID), (&new.name as _, Type::TEXT)];
    Ok(json(StatusCode::OK, app.db.as_caller(&claims.caller).one(RENAME, &params).await?))
}

/// `DELETE /api/organizations/{id}`: erases it with everything in it, and returns the receipt.
pub(crate) async fn forget(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let receipt = app.db.as_caller(&claims.caller.long()).one(FORGET, &[(&id, Type::UUID)]).await?;
    Ok(json(StatusCode::OK, receipt))
}

/// `GET /api/organizations/{id}/usage`.
pub(crate) async fn usage(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    Ok(json(StatusCode::OK, app.db.as_caller(&claims.caller).one(USAGE, &[(&id, Type::UUID)]).await?))
}

/// The query of `GET /api/organizations/{id}/members`. `after` is the last `user_id` of the previous page.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct MembersQuery {
    /// How many rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// The `next` of the previous page.
    after: Option<String>,
}

/// The body of `POST /api/organizations/{id}/members`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember {
    /// The subject of the user's token.
    #[schema(required, nullable = false, min_length = 1, max_length = 255)]
    user_id: Option<String>,
    /// `member` by default.
    #[schema(value_type = Option<Role>)]
    role: Option<String>,
}

/// The body of `PATCH /api/organizations/{id}/members/{user_id}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    #[schema(required, value_type = Role)]
    role: Option<String>,
}

/// `GET /api/organizations/{id}/members`.
pub(crate) async fn members(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    Query(query): Query<MembersQuery>,
) -> Result<Response, ApiError> {
    let limit = limit(query.limit)?;
    let params = [(&limit as _, Type::INT8), (&query.after as _, Type::TEXT), (&id as _, Type::UUID)];
    Ok(json(StatusCode::OK, app.db.as_caller(&claims.caller).one(&MEMBERS, &params).await?))
}

/// `POST /api/organizations/{id}/members`.
pub(crate) async fn add_member(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
    Json(new): Json<NewMember>,
) -> Result<Response, ApiError> {
    let params = [(&id as _, Type::UUID), (&new.user_id as _, Type::TEXT), (&new.role as _, Type::TEXT)];
    Ok(json(StatusCode::CREATED, app.db.as_caller(&claims.caller).one(ADD_MEMBER, &params).await?))
}

/// `PATCH /api/organizations/{id}/members/{user_id}`.
pub(crate) async fn set_role(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    UserId(user): UserId,
    _: Query<NoKeys>,
    Json(new): Json<NewRole>,
) -> Result<Response, ApiError> {
    let params = [(&id as _, Type::UUID), (&user as _, Type::TEXT), (&new.role as _, Type::TEXT)];
    Ok(json(StatusCode::OK, app.db.as_caller(&claims.caller).one(SET_ROLE, &params).await?))
}

/// `DELETE /api/organizations/{id}/members/{user_id}`.
pub(crate) async fn remove_member(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    UserId(user): UserId,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    let params = [(&id as _, Type::UUID), (&user as _, Type::TEXT)];
    let rows = app.db.as_caller(&claims.caller).rows(REMOVE_MEMBER, &params).await?;
    match first(&rows)? {
        Some(true) => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => Err(Problem::new(StatusCode::NOT_FOUND, "Member not found")
            .details(format!("This user does not belong to organization {id}."))
            .hint("Request the members of the organization for their ids.")
            .into()),
    }
}

/// `GET /api/invitations`: the organizations that the caller is invited to.
pub(crate) async fn invitations(
    State(app): State<App>,
    claims: Claims,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    Ok(json(StatusCode::OK, app.db.as_caller(&claims.caller).one(INVITATIONS, &[]).await?))
}

/// `POST /api/invitations/{id}`, by the id of the organization: accepts, and returns the membership.
pub(crate) async fn accept_invitation(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    Ok(json(StatusCode::OK, app.db.as_caller(&claims.caller).one(ACCEPT, &[(&id, Type::UUID)]).await?))
}

/// `DELETE /api/invitations/{id}`: declines.
pub(crate) async fn decline_invitation(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
) -> Result<Response, ApiError> {
    app.db.as_caller(&claims.caller).rows(DECLINE, &[(&id, Type::UUID)]).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
