//! Statements of a request, whose refusals come back as the caller may see them.

use super::{Caller, Db, DbError, Durability, Param, Role, Statement, first};
use crate::http::ApiError;
use http::StatusCode;
use tokio_postgres::Row;

/// The database on behalf of one caller.
#[derive(Clone, Copy)]
pub(crate) struct AsCaller<'a> {
    db: &'a Db,
    caller: &'a Caller,
}

impl Db {
    /// The database on behalf of `caller`.
    pub(crate) fn as_caller<'a>(&'a self, caller: &'a Caller) -> AsCaller<'a> {
        AsCaller { db: self, caller }
    }
}

impl AsCaller<'_> {
    /// See [`Db::rows`].
    pub(crate) async fn rows(self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, ApiError> {
        self.db.rows(self.caller, sql, params).await.map_err(|error| error.seen_by(self.caller.role))
    }

    /// See [`Db::json`].
    pub(crate) async fn json(self, sql: &str, params: &[Param<'_>]) -> Result<Option<String>, ApiError> {
        Ok(first(&self.rows(sql, params).await?)?)
    }

    /// Like [`AsCaller::json`], for a function that always returns a row.
    pub(crate) async fn one(self, sql: &str, params: &[Param<'_>]) -> Result<String, ApiError> {
        Ok(self.json(sql, params).await?.ok_or(DbError::NoRow)?)
    }

    /// Runs statements in one transaction: the JSON of the last one.
    pub(crate) async fn in_order(self, statements: &[Statement<'_>]) -> Result<Option<String>, ApiError> {
        let rows = self.db.in_order(Durability::Now, self.caller, statements).await;
        Ok(first(&rows.map_err(|error| error.seen_by(self.caller.role))?)?)
    }
}

impl DbError {
    /// The same refusal as `role` sees it: for an anonymous caller, signing in might help.
    pub(crate) fn seen_by(self, role: Role) -> ApiError {
        match ApiError::from(self) {
            ApiError::Refused(mut problem) if role == Role::Anon && problem.code == "42501" => {
                problem.status = StatusCode::UNAUTHORIZED;
                ApiError::Refused(problem)
            }
            error => error,
        }
    }
}
