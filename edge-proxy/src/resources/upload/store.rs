//! From chunks to chunk rows: the loop that every upload goes through.
//!
//! Invariant: an upload has a place while its bytes arrive, from the first one on.

use super::receive::{Chunks, ReceiveError, Source, Tally};
use crate::app::App;
use crate::db::{Caller, DbError, Turn, Work};
use crate::fair::{Party, Place};
use crate::http::Problem;
use bytes::{Bytes, BytesMut};
use std::error::Error;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres::types::{IsNull, ToSql, Type, accepts, to_sql_checked};

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

/// Uploads wait for their turn as long as it takes, and meanwhile read nothing.
const FOREVER: Duration = Duration::MAX;

/// An upload that chunks can be appended to.
pub(super) trait Appendable {
    /// Appends consecutive chunks, of which the first begins at `position` in the file, in the uploader's turn.
    fn append(
        &self,
        turn: Turn,
        position: u64,
        chunks: Run,
    ) -> impl Future<Output = Result<(), DbError>> + Send + 'static;
}

/// Stores the chunks as they arrive. While some are stored, the next are received. If the body breaks off, whatever arrived
/// before that is stored first.
pub(super) async fn store<S: Source, T: Tally>(
    app: &App,
    caller: &Caller,
    upload: &impl Appendable,
    chunks: &mut Chunks<'_, S, T>,
) -> Result<(), StoreError> {
    chunks.first_bytes().await?;
    let _place = app.upload_place(caller).map_err(StoreError::NoPlace)?;
    let party = app.db.party(caller);
    let storing = caller.doing(Work::Chunks);
    let mut appending = JoinSet::new();
    let mut slow = false;
    loop {
        tokio::select! {
            biased;
            // Notice a refusal while waiting for the client.
            Some(done) = appending.join_next() => done.map_err(StoreError::lost)??,
            received = next(app, &party, chunks, &mut slow) => {
                let (filling, Some(chunk)) = (match received {
                    Err(error @ ReceiveError::Interrupted(_)) => {
                        all(&mut appending).await?;
                        return Err(error.into());
                    }
                    received => received?,
                }) else { break };
                let first = chunks.position() - chunk.len() as u64;
                let ready = gather(chunk, chunks).await;
                while appending.len() >= CONCURRENT_APPENDS
                    && let Some(done) = appending.join_next().await
                {
                    done.map_err(StoreError::lost)??;
                }
                // No other chunk is read while these wait for a connection. With a filling place they do so in the user's
                // share of those places.
                let turn = app.db.turn(&storing).await?;
                drop(filling);
                appending.spawn(upload.append(turn, first, Run(ready)));
            }
        }
    }
    all(&mut appending).await
}

/// Waits for the appends in progress.
async fn all(appending: &mut JoinSet<Result<(), DbError>>) -> Result<(), StoreError> {
    while let Some(done) = appending.join_next().await {
        done.map_err(StoreError::lost)??;
    }
    Ok(())
}

/// The next chunk, with a filling place: there are few, so memory does not grow with the number of uploads. A slow
/// client leaves its place to others and continues without one.
async fn next<S: Source, T: Tally>(
    app: &App,
    party: &Party,
    chunks: &mut Chunks<'_, S, T>,
    slow: &mut bool,
) -> Result<(Option<Place>, Option<Bytes>), ReceiveError> {
    if !*slow {
        let place = app.filling_places.take(party, FOREVER).await.ok();
        if let Ok(chunk) = timeout(FILL_TIME, chunks.next()).await {
            return Ok((place, chunk?));
        }
    }
    let started = Instant::now();
    let chunk = chunks.next().await?;
    *slow = started.elapsed() > SLOW;
    Ok((None, chunk))
}

/// `first`, with the chunks that follow at once. If the next one does not, nothing is lost.
async fn gather<S: Source, T: Tally>(first: Bytes, chunks: &mut Chunks<'_, S, T>) -> Vec<Bytes> {
    let mut ready = vec![first];
    while ready.len() < CHUNKS_PER_APPEND {
        match timeout(GATHER_TIME, chunks.next()).await {
            Ok(Ok(Some(chunk))) => ready.push(chunk),
            Ok(Err(error)) => {
                chunks.fail(error);
                break;
            }
            Ok(Ok(None)) | Err(_) => break,
        }
    }
    ready
}

/// Why a file could not be stored.
pub(super) enum StoreError {
    Receive(ReceiveError),
    Db(DbError),
    /// Too many uploads are in progress.
    NoPlace(Problem),
}

impl StoreError {
    /// A task that panicked or was aborted. Neither happens while its upload is open.
    fn lost(error: tokio::task::JoinError) -> Self {
        Self::Db(DbError::Unreachable(error.into()))
    }
}

impl From<ReceiveError> for StoreError {
    fn from(error: ReceiveError) -> Self {
        Self::Receive(error)
    }
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Consecutive chunks, sent as one value without joining them first.
#[derive(Debug)]
pub(super) struct Run(Vec<Bytes>);

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
