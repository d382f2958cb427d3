//! An upload that has begun: it ends finished, or as if it had never been.

use super::receive::{Chunks, ReceiveError, Received};
use crate::app::App;
use crate::db::{Caller, DbError, Durability, Statement};
use crate::resources::documents::document_json;
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
const FINISH: &str = concat!(
    "select ",
    document_json!(),
    "::text from dossier.finish_upload(document_id => $1, size_bytes => $2, sha256 => $3) as d"
);
const ABORT: &str = "select dossier.abort_upload($1)";

/// Chunks that are stored by one statement when they arrive fast enough. Four, as many as the database takes, would
/// save it an eighth of its work, but each connection keeps buffers as large as the longest statement it has sent.
const TOGETHER: usize = 2;
/// Transactions of one upload that are under way: while one waits for the disk or the network, another is
/// worked on.
const AT_ONCE: usize = 2;
/// How long a chunk waits for the next one to go with it.
const FAST: Duration = Duration::from_millis(4);
/// How long a client may take for a chunk and keep its place among those that fill one.
const FILL: Duration = Duration::from_millis(100);
/// A client that takes longer than this for a chunk is a slow one, and waits for no place with the next.
const SLOW: Duration = Duration::from_secs(1);
/// How long the answer to a refused file waits for what came of it to be removed.
const BEFORE_THE_ANSWER: Duration = Duration::from_secs(1);

/// What a client says of a file before its bytes.
pub(super) struct Announced {
    pub(super) session_id: Uuid,
    pub(super) name: String,
    pub(super) media_type: Option<String>,
    pub(super) metadata: Option<String>,
}

/// A place among a limited number.
type Place<'a> = Option<SemaphorePermit<'a>>;

/// An upload that has begun. Dropped unfinished (the client went away, the file was refused), it aborts.
pub(super) struct OpenUpload {
    app: App,
    caller: Caller,
    id: Uuid,
    open: bool,
}

impl OpenUpload {
    /// Asks the database, which checks membership, name and type, before a byte of the file is read.
    ///
    /// In a task of its own: when the client goes away before the answer is here, what has begun is still
    /// received, dropped, and so aborted.
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
        // What a crash loses here was not finished anyway.
        let rows = app.db.in_order(Durability::WithTheNext, &caller, &[begin]).await?;
        let id = crate::db::first(&rows)?.ok_or(DbError::NoRow)?;
        Ok(Self { app, caller, id, open: true })
    }

    /// Stores the chunks as they come; durable with the finish. While some are stored, the next arrive.
    pub(super) async fn receive<S>(&self, chunks: &mut Chunks<'_, S>) -> Result<(), AppendError>
    where
        S: Stream<Item = Result<Bytes, axum::Error>> + Unpin,
    {
        let mut appending = JoinSet::new();
        let (mut seq, mut slow) = (0, false);
        loop {
            tokio::select! {
                biased;
                // A refusal is heard while waiting for the client.
                Some(done) = appending.join_next() => done.map_err(AppendError::lost)??,
                next = self.next(chunks, &mut slow) => {
                    let (filling, Some(chunk)) = next? else { break };
                    // A place first: while this chunk waits for one, no other is read.
                    let place = Arc::clone(&self.app.chunk_places).acquire_owned().await.ok();
                    drop(filling);
                    let ready = gather(chunk, chunks).await?;
                    while appending.len() >= AT_ONCE
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

    /// The next chunk, with its place among those that are filled at full speed: there are few, so that
    /// the number of uploads costs no memory. A slow client leaves its place to others and goes on without.
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
            if let Ok(chunk) = timeout(FILL, chunks.next()).await {
                return Ok((place, chunk?));
            }
        }
        let started = Instant::now();
        let chunk = chunks.next().await?;
        *slow = started.elapsed() > SLOW;
        Ok((None, chunk))
    }

    /// Stores chunks that follow one another, by one statement. `place`: among the uploads that may use a
    /// connection now.
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

    /// All bytes are here: the document, as JSON.
    pub(super) async fn finish(&mut self, received: &Received) -> Result<String, DbError> {
        let size = i64::try_from(received.size_bytes).unwrap_or(i64::MAX);
        let params =
            [(&self.id as _, Type::UUID), (&size as _, Type::INT8), (&received.sha256 as _, Type::TEXT)];
        let document = self.app.db.json(&self.caller, FINISH, &params).await?;
        self.open = false;
        document.ok_or(DbError::NoRow)
    }

    /// The file is refused. Who then tries again at once, with as little room as one file needs, must not meet this one.
    pub(super) async fn abort(mut self) {
        if let Some(aborting) = self.clean_up() {
            // What takes longer, or fails, goes on behind the answer, or is the sweeper's.
            let _ = timeout(BEFORE_THE_ANSWER, aborting).await;
        }
    }

    /// In a task of its own, which goes on when nobody waits for it.
    fn clean_up(&mut self) -> Option<JoinHandle<()>> {
        let open = std::mem::replace(&mut self.open, false);
        let (app, caller, id) = (self.app.clone(), self.caller.clone(), self.id);
        open.then(|| {
            self.app.tasks.spawn(async move {
                if let Err(error) = app.db.rows(&caller, ABORT, &[(&id, Type::UUID)]).await {
                    tracing::warn!(document.id = %id, "upload {id} could not be aborted, the sweeper will: {error}");
                }
            })
        })
    }
}

/// Why a file does not get into the database.
pub(super) enum AppendError {
    Receive(ReceiveError),
    Db(DbError),
}

impl AppendError {
    /// A task that panicked or was aborted: neither happens while its upload goes on.
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

/// Chunks in a row, sent as one value without being joined before.
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

/// `first`, with the chunks that follow at once. Nothing is lost when the next one does not.
async fn gather<S>(first: Bytes, chunks: &mut Chunks<'_, S>) -> Result<Vec<Bytes>, ReceiveError>
where
    S: Stream<Item = Result<Bytes, axum::Error>> + Unpin,
{
    let mut ready = vec![first];
    while ready.len() < TOGETHER
        && let Ok(next) = timeout(FAST, chunks.next()).await
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
