//! An upload that has begun. It is either finished or aborted without a trace.

use super::receive::{Chunks, ReceiveError, Received};
use crate::app::App;
use crate::db::{Caller, DbError, Durability, Statement};
use bytes::{Bytes, BytesMut};
use futures_util::stream::Stream;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, SemaphorePermit};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_postgres::types::{IsNull, ToSql, Type, accepts, to_sql_checked};
use uuid::Uuid;

const BEGIN: &str = "select (dossier.begin_upload(session_id => $1, name => $2, media_type => $3, \
                     metadata => coalesce($4::jsonb, '{}'))).id";
const APPEND: &str = "select dossier.append_upload($1, $2, $3)::text";
const FINISH: &str = "select dossier.document_record(d)::text \
                      from dossier.finish_upload(document_id => $1, size_bytes => $2, sha256 => $3) as d";
const ABORT: &str = "select dossier.abort_upload($1)";

/// Chunks per statement, if they arrive fast enough. Four, the most that the database accepts, would save it an eighth
/// of its work. But each connection keeps buffers as large as the longest statement it has sent.
const CHUNKS_PER_APPEND: usize = 2;
/// Appends of one upload that run at the same time: while one waits for the disk or the network, another progresses.
const CONCURRENT_APPENDS: usize = 2;
/// How long a chunk waits for the next one, to be appended with it.
const GATHER_TIME: Duration = Duration::from_millis(4);
/// How long a client may take for a chunk before it gives up its filling place.
const FILL_TIME: Duration = Duration::from_millis(100);
/// A client that takes longer than this for a chunk is slow. It does not wait for a filling place for the next one.
const SLOW: Duration = Duration::from_secs(1);
/// How long the response to a refused file waits for its chunks to be removed.
const ABORT_TIME: Duration = Duration::from_secs(1);

/// What a client declares about a file before sending its bytes.
pub(super) struct Announced {
    pub(super) session_id: Uuid,
    pub(super) name: String,
    pub(super) media_type: Option<String>,
    pub(super) metadata: Option<String>,
}

/// One of a limited number of places, or none.
type Place<'a> = Option<SemaphorePermit<'a>>;

/// An upload that has begun. If it is dropped unfinished (the client disconnected, the file was refused), it aborts.
pub(super) struct OpenUpload {
    app: App,
    caller: Caller,
    id: Uuid,
    open: bool,
}

impl OpenUpload {
    /// Asks the database, which checks membership, name and type before a byte of the file is read.
    ///
    /// Runs in a task of its own: if the client disconnects before the response, the upload is still returned here,
    /// dropped, and so aborted.
    pub(super) async fn begin(app: &App, caller: &Caller, file: Announced) -> Result<Self, DbError> {
        let beginning = Self::begin_now(app.clone(), caller.clone(), file);
        app.tasks.spawn(beginning).await.map_err(|error| DbError::Unreachable(error.into()))?
    }

    async fn begin_now(app: App, caller: Caller, file: Announced) -> Result<Self, DbError> {
        let params = [
            (&file.session_id as _, Type::UUID),
            (&file.name as _, Type::TEXT),
            (&file.media_type as _, Type::TEXT),
            (&file.metadata as _, Type::TEXT),
        ];
        let begin = Statement { sql: BEGIN, params: &params };
        // A crash may lose this. The upload was not finished anyway.
        let rows = app.db.in_order(Durability::WithTheNext, &caller, &[begin]).await?;
        let id = crate::db::first(&rows)?.ok_or(DbError::NoRow)?;
        Ok(Self { app, caller, id, open: true })
    }

    /// Stores the chunks as they arrive. They become durable with the finish. While some are stored, the next are received.
    pub(super) async fn receive<S>(&self, chunks: &mut Chunks<'_, S>) -> Result<(), AppendError>
    where
        S: Stream<Item = Result<Bytes, axum::Error>> + Unpin,
    {
        let mut appending = JoinSet::new();
        let (mut seq, mut slow) = (0, false);
        loop {
            tokio::select! {
                biased;
                // Notice a refusal while waiting for the client.
                Some(done) = appending.join_next() => done.map_err(AppendError::lost)??,
                next = self.next(chunks, &mut slow) => {
                    let (filling, Some(chunk)) = next? else { break };
                    // Take a place first: no other chunk is read while this one waits for it.
                    let place = Arc::clone(&self.app.chunk_places).acquire_owned().await.ok();
                    drop(filling);
                    let ready = gather(chunk, chunks).await?;
                    while appending.len() >= CONCURRENT_APPENDS
                        && let Some(done) = appending.join_next().await
                    {
                        done.map_err(AppendError::lost)??;
                    }
                    let (first, count) = (seq, ready.len());
                    appending.spawn(self.append(first, ready, place));
                    seq += i32::try_from(count).unwrap_or(i32::MAX);
                }
            }
        }
        while let Some(done) = appending.join_next().await {
            done.map_err(AppendError::lost)??;
        }
        Ok(())
    }

    /// The next chunk, with a filling place: there are few, so memory does not grow with the number of uploads. A slow
    /// client leaves its place to others and continues without one.
    async fn next<S>(
        &self,
        chunks: &mut Chunks<'_, S>,
        slow: &mut bool,
    ) -> Result<(Place<'_>, Option<Bytes>), ReceiveError>
    where
        S: Stream<Item = Result<Bytes, axum::Error>> + Unpin,
    {
        if !*slow {
            let place = self.app.filling_places.acquire().await.ok();
            if let Ok(chunk) = timeout(FILL_TIME, chunks.next()).await {
                return Ok((place, chunk?));
            }
        }
        let started = Instant::now();
        let chunk = chunks.next().await?;
        *slow = started.elapsed() > SLOW;
        Ok((None, chunk))
    }

    /// Appends consecutive chunks with one statement. `place` allows the use of a connection.
    fn append(
        &self,
        first: i32,
        chunks: Vec<Bytes>,
        place: Option<OwnedSemaphorePermit>,
    ) -> impl Future<Output = Result<(), DbError>> + Send + use<> {
        let (app, caller, id, run) = (self.app.clone(), self.caller.clone(), self.id, Run(chunks));
        async move {
            let params = [(&id as _, Type::UUID), (&first as _, Type::INT4), (&run as _, Type::BYTEA)];
            let append = Statement { sql: APPEND, params: &params };
            let outcome = app.db.in_order(Durability::WithTheNext, &caller, &[append]).await;
            drop(place);
            outcome.map(drop)
        }
    }

    /// Finishes the upload after its last byte: the document, as JSON.
    pub(super) async fn finish(&mut self, received: &Received) -> Result<String, DbError> {
        let size = i64::try_from(received.size_bytes).unwrap_or(i64::MAX);
        let params =
            [(&self.id as _, Type::UUID), (&size as _, Type::INT8), (&received.sha256 as _, Type::TEXT)];
        let document = self.app.db.json(&self.caller, FINISH, &params).await?;
        self.open = false;
        document.ok_or(DbError::NoRow)
    }

    /// The file is refused. A client that retries at once must not find its quota taken by this upload.
    pub(super) async fn abort(mut self) {
        if let Some(aborting) = self.clean_up() {
            // After that, the abort continues in the background. If it fails, the sweeper removes the upload.
            let _ = timeout(ABORT_TIME, aborting).await;
        }
    }

    /// Runs in a task of its own, which continues even if nothing waits for it.
    fn clean_up(&mut self) -> Option<JoinHandle<()>> {
        let open = std::mem::replace(&mut self.open, false);
        let (app, caller, id) = (self.app.clone(), self.caller.clone(), self.id);
        open.then(|| {
            self.app.tasks.spawn(async move {
                if let Err(error) = app.db.rows(&caller, ABORT, &[(&id, Type::UUID)]).await {
                    tracing::warn!(document.id = %id, "aborting upload {id} failed, the sweeper will do it: {error}");
                }
            })
        })
    }
}

/// Why a file could not be stored.
pub(super) enum AppendError {
    Receive(ReceiveError),
    Db(DbError),
}

impl AppendError {
    /// A task that panicked or was aborted. Neither happens while its upload is open.
    fn lost(error: tokio::task::JoinError) -> Self {
        Self::Db(DbError::Unreachable(error.into()))
    }
}

impl From<ReceiveError> for AppendError {
    fn from(error: ReceiveError) -> Self {
        Self::Receive(error)
    }
}

impl From<DbError> for AppendError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Consecutive chunks, sent as one value without joining them first.
#[derive(Debug)]
struct Run(Vec<Bytes>);

impl ToSql for Run {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.reserve(self.0.iter().map(Bytes::len).sum());
        for chunk in &self.0 {
            out.extend_from_slice(chunk);
        }
        Ok(IsNull::No)
    }

    accepts!(BYTEA);
    to_sql_checked!();
}

/// `first`, with the chunks that follow at once. If the next one does not, nothing is lost.
async fn gather<S>(first: Bytes, chunks: &mut Chunks<'_, S>) -> Result<Vec<Bytes>, ReceiveError>
where
    S: Stream<Item = Result<Bytes, axum::Error>> + Unpin,
{
    let mut ready = vec![first];
    while ready.len() < CHUNKS_PER_APPEND
        && let Ok(next) = timeout(GATHER_TIME, chunks.next()).await
        && let Some(chunk) = next?
    {
        ready.push(chunk);
    }
    Ok(ready)
}

impl Drop for OpenUpload {
    fn drop(&mut self) {
        let _: Option<JoinHandle<()>> = self.clean_up();
    }
}
