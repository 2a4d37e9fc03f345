//! Statements with numbered parameters, and the few expressions that all of them share.

use std::future::Future;

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult, Statement, Value};

use super::{StoreError, dialect::Engine};

/// Runs statements on a connection or inside a transaction. Parameters are written `$1`, `$2`, …; what the engines
/// write differently is in braces, such as `{now}` for the database's clock in milliseconds: see [`Engine`].
pub trait Sql {
    /// Returns all rows of a query.
    fn rows<T: FromQueryResult + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send;

    /// Returns the first row of a query, if there is one.
    fn row<T: FromQueryResult + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send;

    /// Runs a statement; returns how many rows it changed.
    fn run(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

impl<C: ConnectionTrait> Sql for C {
    async fn rows<T: FromQueryResult + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let rows = answer(Engine::of(self), self.query_all_raw(statement(self, sql, values))).await?;
        rows.iter().map(|row| T::from_query_result(row, "").map_err(StoreError::from)).collect()
    }

    async fn row<T: FromQueryResult + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Option<T>, StoreError> {
        let row = answer(Engine::of(self), self.query_one_raw(statement(self, sql, values))).await?;
        row.map(|row| T::from_query_result(&row, "").map_err(StoreError::from)).transpose()
    }

    async fn run(&self, sql: &str, values: impl IntoIterator<Item = Value> + Send) -> Result<u64, StoreError> {
        let done = answer(Engine::of(self), self.execute_raw(statement(self, sql, values))).await?;
        Ok(done.rows_affected())
    }
}

/// A connection to PostgreSQL may be cut silently, so there is a time limit; SQLite always answers.
async fn answer<T>(engine: Engine, request: impl Future<Output = Result<T, DbErr>> + Send) -> Result<T, StoreError> {
    let answer = match engine {
        Engine::Sqlite => request.await.map_err(StoreError::from),
        Engine::Postgres => super::answer::answered(request).await,
    };
    answer.inspect_err(super::failure::note)
}

fn statement(connection: &impl ConnectionTrait, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    let sql = Engine::of(connection).expand(sql);
    let values = values.into_iter().map(without_nul);
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    // Values may be secret, and as long as an article: they are traced only in debug builds, for tests that count what
    // is read.
    #[cfg(debug_assertions)]
    tracing::trace!(target: "afterword::sql", sql = statement.sql, with_values = %statement);
    statement
}

/// Replaces NUL by U+FFFD: PostgreSQL refuses NUL in text, and SQLite's functions take it for the end. No name of the
/// program contains U+FFFD.
fn without_nul(value: Value) -> Value {
    match value {
        Value::String(Some(text)) if text.contains('\0') => Value::String(Some(text.replace('\0', "\u{fffd}"))),
        other => other,
    }
}

/// A row with one whole number, of whichever width the database returns.
#[derive(Debug)]
pub struct Number {
    /// The column must be named `n`.
    pub n: i64,
}

impl FromQueryResult for Number {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let wide = row.try_get::<i64>(prefix, "n");
        let n = wide.or_else(|error| row.try_get::<i32>(prefix, "n").map(i64::from).map_err(|_| error))?;
        Ok(Self { n })
    }
}

/// Returns the time by the database's clock.
///
/// *Units:* milliseconds since 1970-01-01T00:00Z.
///
/// # Errors
/// [`StoreError`] if the database cannot be asked.
pub async fn now(connection: &impl ConnectionTrait) -> Result<i64, StoreError> {
    let row = connection.row::<Number>("SELECT {now} AS n", []).await?;
    row.map(|row| row.n).ok_or_else(|| StoreError::Unexpected("no row from a clock query".to_owned()))
}
