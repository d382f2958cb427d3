//! `POST /api/import`: imports a JSON bundle, NDJSON or an archive into an organization, completely or not at all.
//!
//! Invariant: membership is checked before the body is read, and nothing is written before all of it has arrived.
//! Invariant: no connection and no place of others is held while the client sends. The lines of NDJSON wait in the database
//! (`sql/transfer/staged_import.sql`), a JSON bundle and an archive in a file without a name.
//! Invariant: a bundle is in memory only while it is written, and few are written at the same time.

use super::import_client::{ImportClient, writer};
use super::lines::{Lines, unreadable};
use super::spool::spool;
use super::unzip;
use crate::app::App;
use crate::auth::Claims;
use crate::db::{Caller, DbError};
use crate::http::{ApiError, Problem, Query, json, json_text};
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::State;
use axum::response::Response;
use futures_util::stream::{self, StreamExt};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::io::Read;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio_postgres::types::Type;
use utoipa::IntoParams;
use uuid::Uuid;

const IMPORT: &str =
    "select dossier.import_sessions(bundle => $1::jsonb, organization_id => $2, keep_ids => $3)::text";

/// The limit of `dossier.import_sessions` (`dossier_private.bundle_bytes()`).
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// The largest bundle of small pages takes 15 seconds to write.
const TIMEOUT: Duration = Duration::from_mins(2);

/// The query of `POST /api/import`.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Target {
    /// The organization to import into.
    #[param(required)]
    organization_id: Option<Uuid>,
    /// Keep the ids of the bundle. Refused if one of them exists.
    #[serde(default)]
    keep_ids: bool,
}

/// The format of an import.
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
        Problem::bad_request("The query parameter organization_id is missing")
            .hint("Send POST /api/import?organization_id=… with the id of an organization.")
    })?;
    let (format, body) = match declared(&headers) {
        Some(format) => (format, body),
        None => sniffed(body).await?,
    };
    let caller = claims.caller;
    let mut client = ImportClient::begin(&app, &caller, organization, target.keep_ids).await?;
    let _place = app.import_place(&caller)?;
    let imported = match format {
        Format::Json => {
            let imported = whole(&app, &caller, organization, target.keep_ids, body).await;
            // It was only begun in order to check the caller's rights.
            client.abort().await;
            imported
        }
        Format::Ndjson => {
            client.receive(Lines::new(body.into_data_stream())).await?;
            client.finish().await
        }
        Format::Zip => {
            let archive = unzip::receive(&app, &caller, body.into_data_stream()).await?;
            client.receive(unzip::lines(archive.file)).await?;
            drop(archive.space);
            client.finish().await
        }
    };
    Ok(json(StatusCode::CREATED, imported?))
}

/// The format that `Content-Type` names, if it is one of ours.
fn declared(headers: &HeaderMap) -> Option<Format> {
    let declared = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    match declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Some(Format::Json),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Format::Ndjson),
        "application/zip" | "application/x-zip-compressed" => Some(Format::Zip),
        _ => None,
    }
}

/// The format that the first bytes show. A first line that is an object of the type `bundle` means NDJSON.
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

/// Reads a JSON bundle and passes it on.
async fn whole(
    app: &App,
    caller: &Caller,
    organization: Uuid,
    keep_ids: bool,
    body: Body,
) -> Result<String, ApiError> {
    let size = |received| if received > MAX_BYTES { Err(too_large()) } else { Ok(()) };
    let mut spooled = spool(app, caller, body.into_data_stream(), 0, |_| Ok(()), size).await?;
    let _place = writer(app, caller).await?;
    let read = spawn_blocking(move || {
        let mut bundle = Vec::new();
        spooled.file.read_to_end(&mut bundle).map(|_| bundle)
    });
    let bundle = read.await.map_err(ApiError::internal)?.map_err(ApiError::internal)?;
    let bundle =
        json_text(bundle).map_err(|problem| problem.hint("Send a bundle as GET /api/export returns it."))?;
    // Postgres would refuse it too, but quote all of it.
    serde_json::from_str::<IgnoredAny>(&bundle).map_err(|error| {
        Problem::bad_request("The bundle is not valid JSON")
            .details(format!("Reading it failed: {error}."))
            .hint("Send a complete bundle as GET /api/export returns it.")
    })?;
    let params = [(&bundle as _, Type::TEXT), (&organization as _, Type::UUID), (&keep_ids as _, Type::BOOL)];
    let connection = app.db.dedicated().await?;
    let rows = connection
        .rows(TIMEOUT, caller, IMPORT, &params)
        .await
        .map_err(|error| error.seen_by(caller.role))?;
    Ok(crate::db::first(&rows)?.ok_or(DbError::NoRow)?)
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The JSON body is larger than {MAX_BYTES} bytes"))
        .details("This is the limit of the database for one JSON bundle.")
        .hint("Send NDJSON or ZIP, which may be larger.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_content_type_decides_before_the_first_bytes() {
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
