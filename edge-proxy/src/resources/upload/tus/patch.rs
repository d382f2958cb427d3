//! `PATCH /api/uploads/{id}`: bytes of a file, from an offset on.

use super::super::open_upload::abort;
use super::super::receive::{Chunks, ReceiveError, Source};
use super::super::refusal::{interrupted, too_large};
use super::super::store::{StoreError, store};
use super::checksum::{Checksum, Digests, mismatch};
use super::hold::Hold;
use super::protocol::{UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_OFFSET, bytes, has_bytes};
use crate::app::App;
use crate::auth::Claims;
use crate::db::{Caller, DbError};
use crate::http::{ApiError, Chain, Id, NoKeys, Problem, Query};
use crate::sha256::Sha256;
use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::StreamExt;
use http::{HeaderMap, StatusCode};
use http_body::Body as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::Instrument;
use uuid::Uuid;

/// What one request sends of a file.
pub(super) struct Part {
    pub(super) offset: u64,
    /// The size of the file, if the client knows it now.
    pub(super) length: Option<u64>,
    pub(super) checksum: Option<Checksum>,
    pub(super) body: Body,
}

/// How far an upload is.
pub(super) struct Progress {
    pub(super) offset: u64,
    /// `None`: it is finished.
    pub(super) expires: Option<String>,
}

/// `PATCH /api/uploads/{id}`.
pub(crate) async fn patch(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    _: Query<NoKeys>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    has_bytes(&headers, body.is_end_stream(), true)?;
    let offset = bytes(&headers, &UPLOAD_OFFSET)?.ok_or_else(no_offset)?;
    let length = bytes(&headers, &UPLOAD_LENGTH)?;
    let part = Part { offset, length, checksum: Checksum::from_headers(&headers)?, body };

    let progress = receive(&app, &claims.caller, id, part).await?;
    let offset = [(UPLOAD_OFFSET, progress.offset.to_string())];
    let expires = progress.expires.map(|expires| [(UPLOAD_EXPIRES, expires)]);
    Ok((StatusCode::NO_CONTENT, offset, expires, ()).into_response())
}

/// Stores a part, and finishes the upload if it is the last one. Goes on if the client disconnects.
pub(super) async fn receive(app: &App, caller: &Caller, id: Uuid, part: Part) -> Result<Progress, ApiError> {
    let receiving = receive_now(app.clone(), caller.clone(), id, part).in_current_span();
    app.tasks.spawn(receiving).await.map_err(ApiError::internal)?
}

async fn receive_now(app: App, caller: Caller, id: Uuid, part: Part) -> Result<Progress, ApiError> {
    let edge_limit = app.upload.max_bytes.unwrap_or(u64::MAX);
    if part.length.is_some_and(|length| length > edge_limit) {
        return Err(too_large(edge_limit).into());
    }
    let verify = part.checksum.is_some();
    let hold = Hold::take(&app, &caller, id, part.offset, part.length, verify).await;
    let hold = hold.map_err(|error| error.seen_by(caller.role))?;

    let offset = part.offset;
    let outcome = fill(&app, &caller, &hold, part, edge_limit).await;
    match outcome {
        Ok(progress) => Ok(progress),
        // Another request has it, so there is nothing to release.
        Err(Failure::Db(error)) if error.status() == Some(StatusCode::LOCKED) => {
            Err(error.seen_by(caller.role))
        }
        Err(failure) => {
            let keep = if verify { Some(offset) } else { None };
            let ended = if failure.is_final() {
                abort(&app, &caller, id).await.map(drop)
            } else {
                hold.release(keep).await.map(drop)
            };
            if let Err(error) = ended {
                tracing::debug!(document.id = %id, "ending a hold failed, it expires: {}", Chain(&error));
            }
            Err(failure.seen_by(&caller))
        }
    }
}

/// Receives the bytes of a part while the upload is held.
async fn fill(
    app: &App,
    caller: &Caller,
    hold: &Hold,
    part: Part,
    edge_limit: u64,
) -> Result<Progress, Failure> {
    let most = hold.size.unwrap_or(edge_limit).saturating_sub(part.offset);
    let too_much = || if hold.size.is_some() { more_than_declared(most) } else { too_large(edge_limit) };
    if part.body.size_hint().lower() > most {
        return Err(Failure::Refused(too_much()));
    }
    let received = Arc::new(AtomicU64::new(0));
    let mut body = RawBody { stream: part.body.into_data_stream(), received: Arc::clone(&received) };
    let digests = Digests { file: (part.offset == 0).then(Sha256::new), request: part.checksum };
    let mut chunks = Chunks::new(&mut body, part.offset, most, digests);
    tokio::select! {
        stored = store(app, caller, hold, &mut chunks) => stored.map_err(|error| match error {
            StoreError::Receive(ReceiveError::TooLarge { .. }) => Failure::Refused(too_much()),
            StoreError::Receive(error) => Failure::Receive(error),
            StoreError::Db(error) => Failure::Db(error),
            StoreError::NoPlace(problem) => Failure::Refused(problem),
        })?,
        lost = hold.keep(&received) => return Err(Failure::Db(lost)),
    }

    let (size, digests) = chunks.into_facts();
    let offset = part.offset + size;
    if digests.request.is_some_and(|checksum| !checksum.matches()) {
        return Err(Failure::Mismatch);
    }
    if hold.size == Some(offset) {
        hold.finish(offset, digests.file).await.map_err(Failure::Db)?;
        return Ok(Progress { offset, expires: None });
    }
    let offset = hold.release(None).await.map_err(Failure::Db)?;
    Ok(Progress { offset, expires: Some(hold.expires.clone()) })
}

/// Why a part was not stored completely.
enum Failure {
    /// Its bytes exceed what the upload may have, or too many uploads are in progress.
    Refused(Problem),
    Mismatch,
    Receive(ReceiveError),
    Db(DbError),
}

impl Failure {
    /// Whether the file can never be stored, because of its type or size.
    fn is_final(&self) -> bool {
        const FINAL: [StatusCode; 2] = [StatusCode::UNSUPPORTED_MEDIA_TYPE, StatusCode::PAYLOAD_TOO_LARGE];
        matches!(self, Self::Db(error) if error.status().is_some_and(|status| FINAL.contains(&status)))
    }

    fn seen_by(self, caller: &Caller) -> ApiError {
        match self {
            Self::Refused(problem) => problem.into(),
            Self::Mismatch => mismatch().into(),
            Self::Receive(ReceiveError::Interrupted(error)) => interrupted(&error).into(),
            Self::Receive(error) => {
                ApiError::internal(format!("a body without a form failed as one: {error:?}"))
            }
            Self::Db(error) => error.seen_by(caller.role),
        }
    }
}

/// The body of a request, as it is.
struct RawBody {
    stream: BodyDataStream,
    received: Arc<AtomicU64>,
}

impl Source for RawBody {
    async fn data(&mut self) -> Result<Option<Bytes>, ReceiveError> {
        let data = self.stream.next().await.transpose().map_err(ReceiveError::Interrupted)?;
        if let Some(data) = &data {
            self.received.fetch_add(data.len() as u64, Ordering::Relaxed);
        }
        Ok(data)
    }
}

fn no_offset() -> Problem {
    Problem::bad_request("The header Upload-Offset is missing")
        .details("It is the number of bytes that are already stored.")
        .hint("Read it with HEAD, and send the bytes that follow.")
}

fn more_than_declared(most: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "More bytes were sent than declared")
        .details(format!("{most} bytes of the file are missing, and the request has more."))
        .hint("Declare the actual size in Upload-Length, or send Upload-Defer-Length if it is unknown.")
}
