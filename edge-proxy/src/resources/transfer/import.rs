//! `POST /api/import`: sessions into an organization, all or nothing, as JSON, as lines or as an archive.
//!
//! Invariant: rights are answered before the body is read; nothing is written before all of it is here.
//! Invariant: no connection is held while the client sends. JSON is read whole, so two bundles at most are read at once;
//! lines wait in the database (`sql/transfer/staged_import.sql`), an archive in a file without a name.

use super::import_client::ImportClient;
use super::lines::{Lines, unreadable};
use super::unzip;
use crate::app::App;
use crate::auth::Claims;
use crate::db::{Caller, DbError};
use crate::http::{ApiError, Problem, Query, json, read_json};
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::State;
use axum::response::Response;
use futures_util::stream::{self, StreamExt};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_postgres::types::Type;
use uuid::Uuid;

const IMPORT: &str =
    "select dossier.import_sessions(bundle => $1::jsonb, organization_id => $2, keep_ids => $3)::text";

/// What SQL takes at once (`dossier_private.bundle_bytes()`).
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// A full bundle of small pages is written in a quarter of a minute.
const TIMEOUT: Duration = Duration::from_mins(2);
/// For a body that takes one of few places: nobody keeps it for long by sending slowly.
const JSON_PATIENCE: Duration = Duration::from_mins(1);
const ZIP_PATIENCE: Duration = Duration::from_mins(10);

static JSON_PLACES: Semaphore = Semaphore::const_new(2);
static NDJSON_PLACES: Semaphore = Semaphore::const_new(16);
static ZIP_PLACES: Semaphore = Semaphore::const_new(2);

/// Where to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    organization_id: Option<Uuid>,
    #[serde(default)]
    keep_ids: bool,
}

/// How a bundle comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Ndjson,
    Zip,
}

/// `POST /api/import?organization_id=…[&keep_ids=true]`.
pub(crate) async fn import(
    State(app): State<App>,
    claims: Claims,
    Query(target): Query<Target>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let organization = target.organization_id.ok_or_else(|| {
        Problem::bad_request("organization_id is missing").hint("POST /api/import?organization_id=…")
    })?;
    let (format, body) = match declared(&headers) {
        Some(format) => (format, body),
        None => sniffed(body).await?,
    };
    let caller = claims.caller;
    let imported = match format {
        Format::Json => whole(&app, &caller, organization, target.keep_ids, body).await,
        Format::Ndjson => {
            let _place = NDJSON_PLACES.acquire().await.map_err(ApiError::internal)?;
            let mut client = ImportClient::begin(&app, &caller, organization, target.keep_ids).await?;
            client.receive(Lines::new(body.into_data_stream())).await?;
            client.finish().await
        }
        Format::Zip => {
            let _place = ZIP_PLACES.acquire().await.map_err(ApiError::internal)?;
            let mut client = ImportClient::begin(&app, &caller, organization, target.keep_ids).await?;
            let spooled = unzip::spooled(body.into_data_stream(), app.transfer.import_zip_max_bytes);
            let archive = timeout(ZIP_PATIENCE, spooled).await.map_err(|_| too_slow())??;
            client.receive(unzip::lines(archive)).await?;
            client.finish().await
        }
    };
    Ok(json(StatusCode::CREATED, imported?))
}

/// What `Content-Type` says, if it is one of ours.
fn declared(headers: &HeaderMap) -> Option<Format> {
    let declared = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    match declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Some(Format::Json),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Format::Ndjson),
        "application/zip" | "application/x-zip-compressed" => Some(Format::Zip),
        _ => None,
    }
}

/// What the first bytes say; a line that is an object of the type `bundle` is the first of many.
async fn sniffed(body: Body) -> Result<(Format, Body), Problem> {
    const ENOUGH: usize = 1024;
    let mut rest: BodyDataStream = body.into_data_stream();
    let mut first = Vec::new();
    while first.len() < ENOUGH
        && let Some(frame) = rest.next().await
    {
        first.extend_from_slice(&frame.map_err(|error| unreadable(&error))?);
    }
    let format = format_of(&first);
    let first = stream::iter([Ok::<_, axum::Error>(Bytes::from(first))]);
    Ok((format, Body::from_stream(first.chain(rest))))
}

fn format_of(first: &[u8]) -> Format {
    #[derive(Deserialize)]
    struct Header<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
    }
    let line = first.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if first.starts_with(b"PK") {
        Format::Zip
    } else if serde_json::from_slice::<Header>(line).is_ok_and(|header| header.kind == "bundle") {
        Format::Ndjson
    } else {
        Format::Json
    }
}

/// Reads one JSON bundle and passes it on.
async fn whole(
    app: &App,
    caller: &Caller,
    organization: Uuid,
    keep_ids: bool,
    body: Body,
) -> Result<String, ApiError> {
    let _place = JSON_PLACES.acquire().await.map_err(ApiError::internal)?;
    let bundle = timeout(JSON_PATIENCE, read_json(body, MAX_BYTES)).await.map_err(|_| too_slow())?;
    let bundle = bundle.map_err(|problem| match problem.status {
        StatusCode::PAYLOAD_TOO_LARGE => problem.hint("Send it as NDJSON or ZIP, which may be larger."),
        _ => problem.hint("Send a bundle as GET /api/export makes it."),
    })?;
    // Postgres would say so too, quoting all of it.
    serde_json::from_str::<IgnoredAny>(&bundle).map_err(|error| {
        Problem::bad_request(format!("the bundle is not JSON, or was cut off: {error}"))
            .hint("Send a bundle as GET /api/export makes it, and all of it.")
    })?;
    let params = [(&bundle as _, Type::TEXT), (&organization as _, Type::UUID), (&keep_ids as _, Type::BOOL)];
    let connection = app.db.dedicated().await?;
    let rows = connection
        .rows(TIMEOUT, caller, IMPORT, &params)
        .await
        .map_err(|error| error.seen_by(caller.role))?;
    Ok(crate::db::first(&rows)?.ok_or(DbError::NoRow)?)
}

fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "the bundle did not arrive in time")
        .hint("Send it faster, or fewer sessions at once.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_type_decides_then_the_first_bytes() {
        let typed = |value| {
            declared(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))]))
        };
        assert_eq!(typed("Application/X-NDJSON; charset=utf-8"), Some(Format::Ndjson));
        assert_eq!(typed("application/zip"), Some(Format::Zip));
        assert_eq!(typed("application/json"), Some(Format::Json));
        assert_eq!(typed("application/octet-stream"), None);
        for (first, format) in [
            (&b"PK\x03\x04"[..], Format::Zip),
            (b"{\"type\": \"bundle\", \"version\": 1}\n{\"type\"", Format::Ndjson),
            (b"{\"format\": \"dossier\", \"sessions\": [", Format::Json),
            (b"{\"type\": \"session\"}\n", Format::Json),
            (b"", Format::Json),
        ] {
            assert_eq!(format_of(first), format, "{first:?}");
        }
    }
}
