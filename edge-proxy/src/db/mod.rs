//! Postgres, always on behalf of a caller.
//!
//! A request is one pipelined batch: `begin`, the caller's role and claims by `set_config(…, true)`, the statements and
//! `commit`. All are sent before the first response is awaited, as unnamed statements. So a batch works through a pooler in
//! transaction mode and costs one round trip. If the client disconnects, the batch still runs to its end: a dropped future
//! leaves no open transaction.
//! Invariant: no statement runs outside such a batch, and nothing that it sets outlives it.
//! Invariant: statements on pooled connections are never cancelled. A late cancel would hit the next batch. If it hit the
//! `begin` of that batch, its statements would run as the login role.

mod as_caller;
mod content;
mod error;
mod identity;
mod listen;
mod tls;

pub(crate) use content::CHUNK_BYTES;
pub(crate) use error::DbError;
pub(crate) use identity::{Caller, Role};
pub(crate) use listen::{Notification, listen};

use crate::config;
use deadpool_postgres::{Manager, ManagerConfig, Pool, QueueMode, RecyclingMethod, Runtime};
use futures_util::future::{join_all, join4};
use std::time::Duration;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

/// A parameter with its type. With the type, Postgres need not describe the statement first.
pub(crate) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// One statement of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Statement<'a> {
    pub(crate) sql: &'a str,
    pub(crate) params: &'a [Param<'a>],
}

const BECOME: &str = "select set_config('role', $1, true), set_config('request.jwt.claims', $2, true), \
                      set_config('statement_timeout', $3, true)";
/// With a plan that does not depend on the parameters, because planning with a megabyte as a constant copies it several
/// times.
const BECOME_QUICK: &str = "select set_config('role', $1, true), set_config('request.jwt.claims', $2, true), \
                            set_config('statement_timeout', $3, true), \
                            set_config('synchronous_commit', 'off', true), \
                            set_config('plan_cache_mode', 'force_generic_plan', true)";

/// When a commit is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Before it is confirmed (or as the database is configured).
    Now,
    /// With the next durable commit. A crash may lose it, but never corrupt it.
    WithTheNext,
}

/// The database.
#[derive(Clone)]
pub(crate) struct Db {
    pool: Pool,
    endpoint: config::Endpoint,
    statement_timeout: Duration,
}

impl Db {
    /// A pool, which connects on its first use.
    pub(crate) fn new(config: &config::Database) -> Result<Self, DbError> {
        let manager = Manager::from_config(
            config.requests.postgres.clone(),
            tls::connector(&config.requests)?,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(config.pool_size)
            // The most recently used one: its buffers are warm, and those of the others stay small.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(config.wait))
            .create_timeout(Some(config.wait))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| DbError::Setup(error.into()))?;
        Ok(Self { pool, endpoint: config.requests.clone(), statement_timeout: config.statement_timeout })
    }

    /// Runs one statement in a transaction of its own, as `caller`.
    pub(crate) async fn rows(
        &self,
        caller: &Caller,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, DbError> {
        self.in_order(Durability::Now, caller, &[Statement { sql, params }]).await
    }

    /// Runs statements in one transaction, as `caller`: the rows of the last one.
    pub(crate) async fn in_order(
        &self,
        durability: Durability,
        caller: &Caller,
        statements: &[Statement<'_>],
    ) -> Result<Vec<Row>, DbError> {
        let client = self.pool.get().await?;
        batch(&client, durability, self.statement_timeout, caller, statements).await
    }

    /// The first column of the first row, which is JSON as text. `None`: no row, or null.
    pub(crate) async fn json(
        &self,
        caller: &Caller,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Option<String>, DbError> {
        first(&self.rows(caller, sql, params).await?)
    }

    /// A connection outside the pool, for a statement that may take long or may have to be cancelled.
    pub(crate) async fn dedicated(&self) -> Result<Dedicated, DbError> {
        let tls = tls::connector(&self.endpoint)?;
        let (client, connection) = self.endpoint.postgres.connect(tls.clone()).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a dedicated connection ended: {error}");
            }
        });
        Ok(Dedicated { client, tls })
    }
}

/// A connection outside the pool. After cancelling a statement, its owner must not use it again, because a cancel may
/// arrive late.
pub(crate) struct Dedicated {
    client: Client,
    tls: tokio_postgres_rustls::MakeRustlsConnect,
}

impl Dedicated {
    /// Whether the database has not closed it.
    pub(crate) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// Runs one statement as `caller`, for at most `timeout`.
    pub(crate) async fn rows(
        &self,
        timeout: Duration,
        caller: &Caller,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, DbError> {
        batch(&self.client, Durability::Now, timeout, caller, &[Statement { sql, params }]).await
    }

    /// Cancels the running statement. Its future then returns how it ended.
    pub(crate) async fn cancel(&self) {
        if let Err(error) = self.client.cancel_token().cancel_query(self.tls.clone()).await {
            tracing::debug!("cancelling a statement failed: {error}");
        }
    }
}

async fn batch(
    client: &Client,
    durability: Durability,
    timeout: Duration,
    caller: &Caller,
    statements: &[Statement<'_>],
) -> Result<Vec<Row>, DbError> {
    let timeout = timeout.as_millis().to_string();
    let role = caller.role.as_str();
    let identity: [Param<'_>; 3] =
        [(&role, Type::TEXT), (&caller.claims(), Type::TEXT), (&timeout, Type::TEXT)];
    let become_caller = match durability {
        Durability::Now => BECOME,
        Durability::WithTheNext => BECOME_QUICK,
    };
    // Each future sends its statement when it is first polled. `join4` and `join_all` poll them in this order.
    let results = statements.iter().map(|statement| client.query_typed(statement.sql, statement.params));
    let (begun, became, results, committed) = join4(
        client.batch_execute("begin"),
        client.query_typed(become_caller, &identity),
        join_all(results),
        client.batch_execute("commit"),
    )
    .await;
    begun?;
    became.map_err(DbError::identity)?;
    let mut rows = Vec::new();
    for result in results {
        // The first failure is the cause. The later ones only report that the transaction is aborted.
        rows = result?;
    }
    committed?;
    Ok(rows)
}

/// The first column of the first row. `None`: no row, or null.
pub(crate) fn first<T>(rows: &[Row]) -> Result<Option<T>, DbError>
where
    T: for<'a> tokio_postgres::types::FromSql<'a>,
{
    rows.first().map_or(Ok(None), |row| Ok(row.try_get::<_, Option<T>>(0)?))
}
