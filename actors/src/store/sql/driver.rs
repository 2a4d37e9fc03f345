//! Runs statements by means of sea-orm, of which nothing is seen outside.

use std::{borrow::Cow, sync::MutexGuard};

use futures_util::TryFutureExt;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value as DriverValue};

use super::{Value, deferred::DeferredStatements, sealed::Sealed};
use crate::store::{Engine, StoreError, answer::answered, failure};

/// What has a connection of sea-orm inside.
pub(super) trait Driver: Sealed + Sync {
    /// The connection.
    type Inner: ConnectionTrait;

    /// Returns the connection.
    fn inner(&self) -> &Self::Inner;

    /// Returns where statements wait for the next one, if they do here.
    fn waiting(&self) -> Option<MutexGuard<'_, DeferredStatements>>;

    /// Records the answer to a statement, and explains why there was no connection for it.
    fn noted<T: Send>(&self, answer: Result<T, StoreError>) -> impl Future<Output = Result<T, StoreError>> + Send;
}

pub(super) fn engine(connection: &impl Driver) -> Engine {
    match backend(connection) {
        DbBackend::Sqlite => Engine::Sqlite,
        DbBackend::Postgres => Engine::Postgres,
        other => unreachable!("a connection to {other:?}, and only SQLite and PostgreSQL are ever opened"),
    }
}

pub(super) async fn all(
    connection: &impl Driver,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<Vec<QueryResult>, StoreError> {
    let (statement, carries) = carrying(connection, sql, values);
    answer(connection, carries, connection.inner().query_all_raw(statement)).await
}

pub(super) async fn first(
    connection: &impl Driver,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<Option<QueryResult>, StoreError> {
    let (statement, carries) = carrying(connection, sql, values);
    answer(connection, carries, connection.inner().query_one_raw(statement)).await
}

pub(super) async fn run(
    connection: &impl Driver,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<u64, StoreError> {
    // Of several statements the driver would return the sum of the rows.
    send_waiting(connection).await?;
    let (statement, carries) = carrying(connection, sql, values);
    let done = answer(connection, carries, connection.inner().execute_raw(statement)).await?;
    Ok(done.rows_affected())
}

pub(super) async fn later(
    connection: &impl Driver,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<(), StoreError> {
    let Some(mut waiting) = connection.waiting() else { return run(connection, sql, values).await.map(drop) };
    let (sql, values) = traced(connection, sql, values);
    waiting.add(&sql, values);
    Ok(())
}

/// Sends what waits.
pub(super) async fn send_waiting(connection: &impl Driver) -> Result<(), StoreError> {
    let Some((sql, values)) = connection.waiting().and_then(|mut waiting| waiting.take()) else { return Ok(()) };
    let statement = Statement::from_sql_and_values(backend(connection), sql, values);
    answer(connection, true, connection.inner().execute_raw(statement)).await.map(drop)
}

/// A connection to PostgreSQL may be cut silently, so there is a time limit; SQLite always answers.
async fn answer<T: Send>(
    connection: &impl Driver,
    carries: bool,
    request: impl Future<Output = Result<T, DbErr>> + Send,
) -> Result<T, StoreError> {
    let before = connection.waiting().filter(|_| carries).and_then(|mut waiting| waiting.depart());
    let request = request.map_err(StoreError::of);
    let answer = match engine(connection) {
        Engine::Sqlite => request.await,
        Engine::Postgres => answered(request).await,
    };
    if let Some(mut waiting) = connection.waiting().filter(|_| carries) {
        waiting.arrive(before, answer.as_ref().err());
    }
    connection.noted(answer).await.inspect_err(failure::note)
}

/// A statement with all that waited for one, and whether anything did.
fn carrying(connection: &impl Driver, sql: &str, values: impl IntoIterator<Item = Value>) -> (Statement, bool) {
    let (sql, mut values) = traced(connection, sql, values);
    let mut sql = sql.into_owned();
    let carries = connection.waiting().is_some_and(|mut waiting| waiting.join(&mut sql, &mut values));
    (Statement::from_sql_and_values(backend(connection), sql, values), carries)
}

fn backend(connection: &impl Driver) -> DbBackend {
    connection.inner().get_database_backend()
}

/// A statement as the engine understands it.
fn traced<'s>(
    connection: &impl Driver,
    sql: &'s str,
    values: impl IntoIterator<Item = Value>,
) -> (Cow<'s, str>, Vec<DriverValue>) {
    let (sql, values) = (engine(connection).expand(sql), values.into_iter().map(to_driver).collect::<Vec<_>>());
    // Values may be secret, and as long as an article: they are traced only in debug builds, for tests that count what
    // is read.
    #[cfg(debug_assertions)]
    {
        let statement = Statement::from_sql_and_values(backend(connection), sql.as_ref(), values.clone());
        tracing::trace!(target: "afterword::sql", sql = statement.sql, with_values = %statement);
    }
    (sql, values)
}

/// Replaces NUL by U+FFFD: PostgreSQL refuses NUL in text, and SQLite's functions take it for the end. No name of the
/// program contains U+FFFD.
fn to_driver(value: Value) -> DriverValue {
    match value {
        Value::Bool(value) => DriverValue::Bool(value),
        Value::Int(value) => DriverValue::Int(value),
        Value::BigInt(value) => DriverValue::BigInt(value),
        Value::Float(value) => DriverValue::Float(value),
        Value::Double(value) => DriverValue::Double(value),
        Value::Text(Some(text)) if text.contains('\0') => DriverValue::String(Some(text.replace('\0', "\u{fffd}"))),
        Value::Text(text) => DriverValue::String(text),
        Value::Bytes(value) => DriverValue::Bytes(value),
    }
}
