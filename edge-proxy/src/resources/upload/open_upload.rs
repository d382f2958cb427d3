//! An upload of a form that has begun. It is either finished or aborted without a trace.

use super::receive::{Chunks, Source};
use super::store::{Appendable, Run, StoreError, store};
use crate::app::App;
use crate::db::{CHUNK_BYTES, Caller, DbError, Durability, Statement, Turn};
use crate::http::Chain;
use crate::sha256::Sha256;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::types::Type;
use uuid::Uuid;

const BEGIN: &str = "select (dossier.begin_upload(session_id => $1, name => $2, media_type => $3, \
                     metadata => coalesce($4::jsonb, '{}'))).id";
const APPEND: &str = "select dossier.append_upload($1, $2, $3)::text";
const FINISH: &str = "select dossier.document_record(d)::text \
                      from dossier.finish_upload(document_id => $1, size_bytes => $2, sha256 => $3) as d";
const ABORT: &str = "select dossier.abort_upload($1)";

/// How long the response to a refused file waits for its chunks to be removed.
const ABORT_TIME: Duration = Duration::from_secs(1);

/// What a client declares about a file before sending its bytes.
pub(super) struct Announced {
    pub(super) session_id: Uuid,
    pub(super) name: String,
    pub(super) media_type: Option<String>,
    pub(super) metadata: Option<String>,
}

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

    /// Receives and stores the file, of at most `limit` bytes. Its chunks become durable with the finish, which returns the
    /// document as JSON.
    pub(super) async fn receive<S: Source>(
        &mut self,
        source: &mut S,
        limit: u64,
    ) -> Result<String, StoreError> {
        let mut chunks = Chunks::new(source, 0, limit, Sha256::new());
        store(&self.app, &self.caller, self, &mut chunks).await?;
        let (size, hash) = chunks.into_facts();
        let document = finish(&self.app, &self.caller, self.id, size, &hash.hex()).await?;
        self.open = false;
        Ok(document)
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
                if let Err(error) = abort(&app, &caller, id).await {
                    tracing::warn!(document.id = %id, "aborting upload {id} failed, the sweeper will do it: {}", Chain(&error));
                }
            })
        })
    }
}

impl Appendable for OpenUpload {
    fn append(
        &self,
        turn: Turn,
        position: u64,
        chunks: Run,
    ) -> impl Future<Output = Result<(), DbError>> + Send + 'static {
        let (app, caller, id) = (self.app.clone(), self.caller.clone(), self.id);
        let seq = i32::try_from(position / CHUNK_BYTES as u64).unwrap_or(i32::MAX);
        async move {
            let params = [(&id as _, Type::UUID), (&seq as _, Type::INT4), (&chunks as _, Type::BYTEA)];
            let append = Statement { sql: APPEND, params: &params };
            app.db.in_turn(turn, Durability::WithTheNext, &caller, &[append]).await.map(drop)
        }
    }
}

impl Drop for OpenUpload {
    fn drop(&mut self) {
        let _: Option<JoinHandle<()>> = self.clean_up();
    }
}

/// Finishes an upload after its last byte, and wakes a worker: the document, as JSON.
pub(super) async fn finish(
    app: &App,
    caller: &Caller,
    id: Uuid,
    size: u64,
    sha256: &str,
) -> Result<String, DbError> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let params = [(&id as _, Type::UUID), (&size as _, Type::INT8), (&sha256 as _, Type::TEXT)];
    let document = app.db.json(caller, FINISH, &params).await?;
    app.events.wake_workers();
    document.ok_or(DbError::NoRow)
}

/// Removes an unfinished upload. Returns whether there was one.
pub(super) async fn abort(app: &App, caller: &Caller, id: Uuid) -> Result<bool, DbError> {
    let rows = app.db.rows(caller, ABORT, &[(&id, Type::UUID)]).await?;
    Ok(crate::db::first(&rows)?.unwrap_or(false))
}
