//! Postgres, always on behalf of a caller.
//!
//! A request is one pipelined batch: `begin`, the caller's role, claims and request by `set_config(…, true)`, the statements
//! and `commit`. All are sent before the first response is awaited, as unnamed statements. So a batch works through a pooler
//! in transaction mode and costs one round trip. The `commit` is sent with the rest: a dropped future leaves no open
//! transaction.
//! Invariant: no statement runs outside such a batch, and nothing that it sets outlives it.
//! Invariant: a connection that is cancelled is not used again, pooled or not. A late cancel would hit the next batch. If it hit
//! the `begin` of that batch, its statements would run as the login role. See [`checkout`].

mod as_caller;
mod checkout;
mod content;
mod error;
mod home;
mod identity;
mod listen;
mod request;
mod tls;
mod turn;
mod words;

pub(crate) use content::CHUNK_BYTES;
pub(crate) use error::DbError;
pub(crate) use identity::{Caller, Role};
pub(crate) use listen::{Notification, listen};
pub(crate) use turn::{Shares, Turn, Work};

use crate::config;
use crate::fair::Party;
use crate::http::Chain;
use checkout::Checkout;
use deadpool_postgres::{Manager, ManagerConfig, Pool, QueueMode, RecyclingMethod, Runtime};
use futures_util::future::{join_all, join4};
use home::Homes;
use std::time::Duration;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use tokio_postgres_rustls::MakeRustlsConnect;
use turn::Turns;

/// A parameter with its type. With the type, Postgres need not describe the statement first.
pub(crate) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// One statement of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Statement<'a> {
    pub(crate) sql: &'a str,
    pub(crate) params: &'a [Param<'a>],
}

const BECOME: &str = "select set_config('role', $1, true), set_config('request.jwt.claims', $2, true), \
                      set_config('statement_timeout', $3, true), set_config('request.headers', $4, true), \
                      set_config('request.method', $5, true), set_config('request.path', $6, true)";
/// With a plan that does not depend on the parameters, because planning with a megabyte as a constant copies it several
/// times.
const BECOME_QUICK: &str = "select set_config('role', $1, true), set_config('request.jwt.claims', $2, true), \
                            set_config('statement_timeout', $3, true), set_config('request.headers', $4, true), \
                            set_config('request.method', $5, true), set_config('request.path', $6, true), \
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
    /// For cancelling abandoned batches.
    tls: MakeRustlsConnect,
    statement_timeout: Duration,
    turns: Turns,
    homes: Homes,
}

impl Db {
    /// A pool, which connects on its first use.
    pub(crate) fn new(config: &config::Database, shares: Shares) -> Result<Self, DbError> {
        let tls = tls::connector(&config.requests)?;
        let manager = Manager::from_config(
            config.requests.postgres.clone(),
            tls.clone(),
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
        Ok(Self {
            pool,
            endpoint: config.requests.clone(),
            tls,
            statement_timeout: config.statement_timeout,
            turns: Turns::new(config, shares),
            homes: Homes::default(),
        })
    }

    /// Whose share `caller` uses. The organization is known once the database has run a statement of the caller.
    pub(crate) fn party(&self, caller: &Caller) -> Party {
        match caller.user().and_then(|user| self.homes.of(user)?.organization) {
            Some(organization) => caller.party().in_organization(organization),
            None => caller.party().clone(),
        }
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

    /// Like [`Db::rows`], for at most `timeout`, which may be longer than that of requests.
    pub(crate) async fn rows_within(
        &self,
        timeout: Duration,
        caller: &Caller,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, DbError> {
        self.run(timeout, Durability::Now, caller, &[Statement { sql, params }]).await
    }

    /// Runs statements in one transaction, as `caller`: the rows of the last one.
    pub(crate) async fn in_order(
        &self,
        durability: Durability,
        caller: &Caller,
        statements: &[Statement<'_>],
    ) -> Result<Vec<Row>, DbError> {
        self.run(self.statement_timeout, durability, caller, statements).await
    }

    async fn run(
        &self,
        timeout: Duration,
        durability: Durability,
        caller: &Caller,
        statements: &[Statement<'_>],
    ) -> Result<Vec<Row>, DbError> {
        let turn = self.turn(caller).await?;
        self.run_in(turn, timeout, durability, caller, statements).await
    }

    /// The next turn of `caller`, for [`Db::in_turn`]. Take it last: whatever is held meanwhile is held for long.
    pub(crate) async fn turn(&self, caller: &Caller) -> Result<Turn, DbError> {
        self.turns.next(&self.party(caller), caller.work()).await
    }

    /// Like [`Db::in_order`], in a turn that was taken before.
    pub(crate) async fn in_turn(
        &self,
        turn: Turn,
        durability: Durability,
        caller: &Caller,
        statements: &[Statement<'_>],
    ) -> Result<Vec<Row>, DbError> {
        self.run_in(turn, self.statement_timeout, durability, caller, statements).await
    }

    /// Like [`Db::rows_within`], in a turn that was taken before.
    pub(crate) async fn rows_in_turn(
        &self,
        turn: Turn,
        timeout: Duration,
        caller: &Caller,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, DbError> {
        self.run_in(turn, timeout, Durability::Now, caller, &[Statement { sql, params }]).await
    }

    async fn run_in(
        &self,
        turn: Turn,
        timeout: Duration,
        durability: Durability,
        caller: &Caller,
        statements: &[Statement<'_>],
    ) -> Result<Vec<Row>, DbError> {
        let checkout = Checkout::new(self.pool.get().await?, turn, self.tls.clone(), timeout);
        let client = checkout.client()?;
        let outcome = match caller.user().filter(|user| self.homes.of(user).is_none()) {
            None => batch(client, durability, timeout, caller, statements).await,
            Some(user) => {
                let statements = [&[home::FIND], statements].concat();
                let outcome = batch(client, durability, timeout, caller, &statements).await;
                outcome.and_then(|mut rows| {
                    self.homes.learn(user, first(&rows.remove(0))?);
                    Ok(rows)
                })
            }
        };
        checkout.finish();
        Ok(outcome?.pop().unwrap_or_default())
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
                tracing::debug!("a dedicated connection ended: {}", Chain(&error));
            }
        });
        Ok(Dedicated { client, tls })
    }
}

/// A connection outside the pool. After cancelling a statement, its owner must not use it again, because a cancel may
/// arrive late.
pub(crate) struct Dedicated {
    client: Client,
    tls: MakeRustlsConnect,
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
        self.in_order(timeout, caller, &[Statement { sql, params }]).await
    }

    /// Runs statements in one transaction, each for at most `timeout`: the rows of the last one.
    pub(crate) async fn in_order(
        &self,
        timeout: Duration,
        caller: &Caller,
        statements: &[Statement<'_>],
    ) -> Result<Vec<Row>, DbError> {
        let mut rows = batch(&self.client, Durability::Now, timeout, caller, statements).await?;
        Ok(rows.pop().unwrap_or_default())
    }

    /// Cancels the running statement. Its future then returns how it ended.
    pub(crate) async fn cancel(&self) {
        if let Err(error) = self.client.cancel_token().cancel_query(self.tls.clone()).await {
            tracing::debug!("cancelling a statement failed: {}", Chain(&error));
        }
    }
}

/// The rows of each statement.
async fn batch(
    client: &Client,
    durability: Durability,
    timeout: Duration,
    caller: &Caller,
    statements: &[Statement<'_>],
) -> Result<Vec<Vec<Row>>, DbError> {
    let timeout = timeout.as_millis().to_string();
    let role = caller.role.as_str();
    let request = caller.request();
    let identity: [Param<'_>; 6] = [
        (&role, Type::TEXT),
        (&caller.claims(), Type::TEXT),
        (&timeout, Type::TEXT),
        (&request.headers, Type::TEXT),
        (&request.method, Type::TEXT),
        (&request.path, Type::TEXT),
    ];
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
    // The first failure is the cause. The later ones only report that the transaction is aborted.
    let rows = results.into_iter().collect::<Result<_, _>>()?;
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
