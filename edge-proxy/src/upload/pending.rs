//! An upload that has begun: it ends finished, or as if it had never been.

use super::receive::Received;
use crate::app::App;
use crate::db::{Caller, DbError, Durability};
use crate::documents::document_json;
use tokio_postgres::types::Type;
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

/// What a client says of a file before its bytes.
pub(super) struct Announced<'a> {
    pub(super) session_id: Uuid,
    pub(super) name: &'a str,
    pub(super) media_type: Option<&'a str>,
    pub(super) metadata: Option<&'a str>,
}

/// An upload that has begun. Dropped unfinished (the client went away, the file was refused), it aborts.
pub(super) struct Pending {
    app: App,
    caller: Caller,
    pub(super) id: Uuid,
    open: bool,
}

impl Pending {
    /// Asks the database, which checks membership, name and type, before a byte of the file is read.
    pub(super) async fn begin(app: &App, caller: &Caller, file: &Announced<'_>) -> Result<Self, DbError> {
        let rows = app
            .db
            .rows(
                caller,
                BEGIN,
                &[
                    (&file.session_id, Type::UUID),
                    (&file.name, Type::TEXT),
                    (&file.media_type, Type::TEXT),
                    (&file.metadata, Type::TEXT),
                ],
            )
            .await?;
        let id = crate::db::first(&rows)?.ok_or(DbError::NoRow)?;
        Ok(Self { app: app.clone(), caller: caller.clone(), id, open: true })
    }

    /// Stores chunk number `seq`; durable with the finish. Holds a place among the uploads that may use a
    /// connection, so that other requests always find one.
    pub(super) async fn append(&self, seq: i32, chunk: &[u8], place: Place<'_>) -> Result<(), DbError> {
        let params = [(&self.id as _, Type::UUID), (&seq as _, Type::INT4), (&chunk as _, Type::BYTEA)];
        let outcome = self.app.db.rows_with(Durability::WithTheNext, &self.caller, APPEND, &params).await;
        drop(place);
        outcome.map(drop)
    }

    /// All bytes are here: the document, as JSON.
    pub(super) async fn finish(mut self, received: &Received) -> Result<String, DbError> {
        let size = i64::try_from(received.size_bytes).unwrap_or(i64::MAX);
        let params =
            [(&self.id as _, Type::UUID), (&size as _, Type::INT8), (&received.sha256 as _, Type::TEXT)];
        let document = self.app.db.json(&self.caller, FINISH, &params).await?;
        self.open = false;
        document.ok_or(DbError::NoRow)
    }

    /// Waits for a place among the uploads that may use a connection.
    pub(super) async fn place(&self) -> Place<'_> {
        // The semaphore is never closed; were it, the pool would still be the limit.
        self.app.chunk_places.acquire().await.ok()
    }
}

/// A place among the uploads that may use a connection.
pub(super) type Place<'a> = Option<tokio::sync::SemaphorePermit<'a>>;

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let (app, caller, id) = (self.app.clone(), self.caller.clone(), self.id);
        self.app.tasks.spawn(async move {
            if let Err(error) = app.db.rows(&caller, ABORT, &[(&id, Type::UUID)]).await {
                tracing::warn!(document.id = %id, "upload {id} could not be aborted, the sweeper will: {error}");
            }
        });
    }
}
