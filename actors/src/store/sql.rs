//! Statements with numbered parameters, and the few expressions all of them share.

use std::future::Future;

use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};

use super::StoreError;

/// The database's clock in milliseconds, as an SQL expression.
pub const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// Runs statements on a connection or inside a transaction. Parameters are written `$1`, `$2`, …; `{now}` stands for
/// the database's clock in milliseconds.
pub trait Sql {
    /// All rows of a query.
    fn rows<T: FromQueryResult + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send;

    /// The first row of a query, if there is one.
    fn row<T: FromQueryResult + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send;

    /// Runs a statement; answers how many rows it changed.
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
        let rows = self.query_all_raw(statement(self, sql, values)).await?;
        rows.iter().map(|row| T::from_query_result(row, "").map_err(StoreError::from)).collect()
    }

    async fn row<T: FromQueryResult + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Option<T>, StoreError> {
        let row = self.query_one_raw(statement(self, sql, values)).await?;
        row.map(|row| T::from_query_result(&row, "").map_err(StoreError::from)).transpose()
    }

    async fn run(&self, sql: &str, values: impl IntoIterator<Item = Value> + Send) -> Result<u64, StoreError> {
        Ok(self.execute_raw(statement(self, sql, values)).await?.rows_affected())
    }
}

fn statement(connection: &impl ConnectionTrait, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(connection.get_database_backend(), sql.replace("{now}", NOW), values)
}

/// A row that holds one number.
#[derive(Debug, FromQueryResult)]
pub struct Number {
    /// The column must be named `n`.
    pub n: i64,
}

/// The time by the database's clock.
///
/// *Units:* milliseconds since 1970-01-01T00:00Z.
///
/// # Errors
/// [`StoreError`] if the database cannot be asked.
pub async fn now(connection: &impl ConnectionTrait) -> Result<i64, StoreError> {
    let row = connection.row::<Number>("SELECT {now} AS n", []).await?;
    row.map(|row| row.n).ok_or_else(|| StoreError::Unexpected("no row from a clock query".to_owned()))
}
