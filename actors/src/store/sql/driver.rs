//! Runs statements by means of sea-orm, of which nothing is seen outside.

use futures_util::TryFutureExt;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value as Given};

use super::{Value, sealed::Sealed};
use crate::store::{Engine, StoreError, answer::answered, failure};

/// What has a connection of sea-orm inside.
pub(super) trait Driver: Sealed + Sync {
    /// The connection.
    type Inner: ConnectionTrait;

    /// Returns the connection.
    fn inner(&self) -> &Self::Inner;
}

pub(super) fn engine(connection: &impl ConnectionTrait) -> Engine {
    match connection.get_database_backend() {
        DbBackend::Sqlite => Engine::Sqlite,
        DbBackend::Postgres => Engine::Postgres,
        other => unreachable!("a connection to {other:?}, and only SQLite and PostgreSQL are ever opened"),
    }
}

pub(super) async fn all(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<Vec<QueryResult>, StoreError> {
    let engine = engine(connection);
    answer(engine, connection.query_all_raw(statement(engine, sql, values))).await
}

pub(super) async fn first(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<Option<QueryResult>, StoreError> {
    let engine = engine(connection);
    answer(engine, connection.query_one_raw(statement(engine, sql, values))).await
}

pub(super) async fn run(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<u64, StoreError> {
    let engine = engine(connection);
    let done = answer(engine, connection.execute_raw(statement(engine, sql, values))).await?;
    Ok(done.rows_affected())
}

/// A connection to PostgreSQL may be cut silently, so there is a time limit; SQLite always answers.
async fn answer<T>(engine: Engine, request: impl Future<Output = Result<T, DbErr>> + Send) -> Result<T, StoreError> {
    let request = request.map_err(StoreError::of);
    let answer = match engine {
        Engine::Sqlite => request.await,
        Engine::Postgres => answered(request).await,
    };
    answer.inspect_err(failure::note)
}

fn statement(engine: Engine, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    let backend = match engine {
        Engine::Sqlite => DbBackend::Sqlite,
        Engine::Postgres => DbBackend::Postgres,
    };
    let statement = Statement::from_sql_and_values(backend, engine.expand(sql), values.into_iter().map(given));
    // Values may be secret, and as long as an article: they are traced only in debug builds, for tests that count what
    // is read.
    #[cfg(debug_assertions)]
    tracing::trace!(target: "afterword::sql", sql = statement.sql, with_values = %statement);
    statement
}

/// Replaces NUL by U+FFFD: PostgreSQL refuses NUL in text, and SQLite's functions take it for the end. No name of the
/// program contains U+FFFD.
fn given(value: Value) -> Given {
    match value {
        Value::Bool(value) => Given::Bool(value),
        Value::Int(value) => Given::Int(value),
        Value::BigInt(value) => Given::BigInt(value),
        Value::Float(value) => Given::Float(value),
        Value::Double(value) => Given::Double(value),
        Value::Text(Some(text)) if text.contains('\0') => Given::String(Some(text.replace('\0', "\u{fffd}"))),
        Value::Text(text) => Given::String(text),
        Value::Bytes(value) => Given::Bytes(value),
    }
}
