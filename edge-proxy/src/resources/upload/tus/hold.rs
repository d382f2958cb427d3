//! An upload while one request sends its bytes.

use super::super::open_upload::finish;
use super::super::store::{Appendable, Run};
use super::protocol::http_date;
use crate::app::App;
use crate::db::{Caller, DbError, Durability, Statement, Turn, Work, first};
use crate::sha256::Sha256;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tokio_postgres::types::Type;
use uuid::Uuid;

static HOLD: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select h.size_bytes, {} from dossier.hold_upload($1, $2, $3, declared_bytes => $4, verify => $5) as h",
        http_date("h.expires_at")
    )
});
const APPEND: &str = "select dossier.resume_upload($1, $2, $3, $4)::text";
const RENEW: &str = "select dossier.renew_upload($1, $2)::text";
const RELEASE: &str = "select dossier.release_upload($1, $2, keep_bytes => $3)";
const READ: &str = "select dossier.read_upload($1, $2, $3)";

/// How often a hold is renewed while bytes arrive. The database ends it after 6 seconds without.
const RENEWAL: Duration = Duration::from_secs(2);
/// How much is read at once to compute a digest. A multiple of a chunk.
const READ_BYTES: u64 = 1024 * 1024;

/// An upload that this request holds.
pub(super) struct Hold {
    app: App,
    caller: Caller,
    id: Uuid,
    holder: Uuid,
    /// `None`: not known yet.
    pub(super) size: Option<u64>,
    /// For `Upload-Expires`.
    pub(super) expires: String,
}

impl Hold {
    /// Refused while another request holds the upload, or if it does not continue at `start`. `declared`: the size, if it was
    /// not known before. `verify`: the bytes count once they are released.
    pub(super) async fn take(
        app: &App,
        caller: &Caller,
        id: Uuid,
        start: u64,
        declared: Option<u64>,
        verify: bool,
    ) -> Result<Self, DbError> {
        let holder = Uuid::new_v4();
        let (start, declared) = (whole(start), declared.map(whole));
        let params = [
            (&id as _, Type::UUID),
            (&holder as _, Type::UUID),
            (&start as _, Type::INT8),
            (&declared as _, Type::INT8),
            (&verify as _, Type::BOOL),
        ];
        let rows = app.db.rows(caller, &HOLD, &params).await?;
        let row = rows.first().ok_or(DbError::NoRow)?;
        let size: Option<i64> = row.try_get(0)?;
        let size = size.and_then(|size| u64::try_from(size).ok());
        Ok(Self { app: app.clone(), caller: caller.clone(), id, holder, size, expires: row.try_get(1)? })
    }

    /// Renews the hold while `received` grows. Returns only if it is lost.
    pub(super) async fn keep(&self, received: &AtomicU64) -> DbError {
        let mut renewed_at = received.load(Ordering::Relaxed);
        loop {
            sleep(RENEWAL).await;
            let now = received.load(Ordering::Relaxed);
            if now == renewed_at {
                continue;
            }
            renewed_at = now;
            if let Err(error) = self.renew().await
                && error.status().is_some_and(|status| status.is_client_error())
            {
                return error;
            }
        }
    }

    async fn renew(&self) -> Result<(), DbError> {
        let params = [(&self.id as _, Type::UUID), (&self.holder as _, Type::UUID)];
        let renew = Statement { sql: RENEW, params: &params };
        self.app.db.in_order(Durability::WithTheNext, &self.caller, &[renew]).await.map(drop)
    }

    /// Ends the hold: the offset at which the upload continues. Drops the bytes from `keep` on. The stored ones are durable
    /// afterwards.
    pub(super) async fn release(&self, keep: Option<u64>) -> Result<u64, DbError> {
        let keep = keep.map(whole);
        let params = [(&self.id as _, Type::UUID), (&self.holder as _, Type::UUID), (&keep as _, Type::INT8)];
        let rows = self.app.db.rows(&self.caller, RELEASE, &params).await?;
        let offset: i64 = first(&rows)?.ok_or(DbError::NoRow)?;
        Ok(u64::try_from(offset).unwrap_or(0))
    }

    /// Finishes the upload, whose bytes are complete. `hash`: that of the whole file, if this request has sent all of it.
    pub(super) async fn finish(&self, size: u64, hash: Option<Sha256>) -> Result<(), DbError> {
        let hash = match hash {
            Some(hash) => hash,
            None => self.hash(size).await?,
        };
        finish(&self.app, &self.caller, self.id, size, &hash.hex()).await.map(drop)
    }

    /// The digest of stored bytes that came in several requests.
    async fn hash(&self, size: u64) -> Result<Sha256, DbError> {
        let mut hash = Sha256::new();
        let reading = self.caller.doing(Work::Chunks);
        let (mut position, mut renewed) = (0, Instant::now());
        while position < size {
            let length = READ_BYTES.min(size - position);
            let (start, most) = (whole(position), i32::try_from(length).unwrap_or(i32::MAX));
            let params = [(&self.id as _, Type::UUID), (&start as _, Type::INT8), (&most as _, Type::INT4)];
            let rows = self.app.db.rows(&reading, READ, &params).await?;
            let bytes: &[u8] =
                rows.first().ok_or(DbError::NoRow)?.try_get::<_, Option<&[u8]>>(0)?.unwrap_or_default();
            if bytes.len() as u64 != length {
                return Err(DbError::Changed);
            }
            hash.update(bytes);
            position += length;
            if renewed.elapsed() > RENEWAL {
                self.renew().await?;
                renewed = Instant::now();
            }
        }
        Ok(hash)
    }
}

impl Appendable for Hold {
    fn append(
        &self,
        turn: Turn,
        position: u64,
        chunks: Run,
    ) -> impl Future<Output = Result<(), DbError>> + Send + 'static {
        let (app, caller, id, holder) = (self.app.clone(), self.caller.clone(), self.id, self.holder);
        let position = whole(position);
        async move {
            let params = [
                (&id as _, Type::UUID),
                (&holder as _, Type::UUID),
                (&position as _, Type::INT8),
                (&chunks as _, Type::BYTEA),
            ];
            let append = Statement { sql: APPEND, params: &params };
            app.db.in_turn(turn, Durability::WithTheNext, &caller, &[append]).await.map(drop)
        }
    }
}

/// As Postgres counts.
pub(super) fn whole(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
