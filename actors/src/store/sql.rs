//! Statements with numbered parameters: where they run, what they are given, and what they answer.
//!
//! ```
//! use afterword_actors::store::{StoreError, sql::Sql};
//!
//! /// Returns the titles and the times of the newest articles. Runs on a reader and in a transaction alike.
//! async fn newest(connection: &impl Sql, limit: i64) -> Result<Vec<(String, i64)>, StoreError> {
//!     let sql = "SELECT title, updated_at FROM articles WHERE updated_at <= {now} ORDER BY updated_at DESC LIMIT $1";
//!     connection.rows(sql, [limit.into()]).await
//! }
//! ```

mod connection;
mod deferred;
mod driver;
mod entities;
mod row;
mod sealed;
mod value;

pub use afterword_derive::FromRow;
pub(in crate::store) use connection::Refusals;
pub use connection::{Connection, Transaction, WriteBody};
pub use row::{Column, FromRow, Row};
pub use value::{Value, json, millis};

use super::{StoreError, dialect::Engine};
use driver::Driver;
use sealed::Sealed;

/// Runs statements on a [`Connection`] or inside a [`Transaction`]. Parameters are written `$1`, `$2`, …; what the
/// engines write differently is in braces, such as `{now}` for the database's clock in milliseconds: see [`Engine`].
pub trait Sql: Sealed + Sync {
    /// Returns which engine runs them.
    fn engine(&self) -> Engine;

    /// Returns all rows of a query.
    fn rows<T: FromRow + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send;

    /// Returns the first row of a query, if there is one.
    fn row<T: FromRow + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send;

    /// Returns the row of a statement that always has one: a count, an insert that returns its number.
    fn one<T: FromRow + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// Runs a statement; returns how many rows it changed.
    fn run(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Runs a statement whose answer is not needed, before the next one of this transaction. On SQLite it goes together
    /// with that one, or with the end of the write, and its error is the error of what it went with; then nothing of
    /// the write is kept. It returns no rows.
    fn later(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl<C: Driver> Sql for C {
    fn engine(&self) -> Engine {
        driver::engine(self)
    }

    async fn rows<T: FromRow + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let rows = driver::all(self, sql, values).await?;
        rows.into_iter().map(|row| T::from_row(&Row(row))).collect()
    }

    async fn row<T: FromRow + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Option<T>, StoreError> {
        let row = driver::first(self, sql, values).await?;
        row.map(|row| T::from_row(&Row(row))).transpose()
    }

    async fn one<T: FromRow + Send>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<T, StoreError> {
        let row = self.row(sql, values).await?;
        row.ok_or_else(|| StoreError::Unexpected("a statement that should return a row returned none".to_owned()))
    }

    async fn run(&self, sql: &str, values: impl IntoIterator<Item = Value> + Send) -> Result<u64, StoreError> {
        driver::run(self, sql, values).await
    }

    async fn later(&self, sql: &str, values: impl IntoIterator<Item = Value> + Send) -> Result<(), StoreError> {
        driver::later(self, sql, values).await
    }
}

/// Returns the time by the database's clock.
///
/// *Units:* milliseconds since 1970-01-01T00:00Z.
///
/// # Errors
/// [`StoreError`] if the database cannot be asked.
pub async fn now(connection: &impl Sql) -> Result<i64, StoreError> {
    connection.one("SELECT {now} AS n", []).await
}
