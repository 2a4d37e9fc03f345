//! The words' side: what is looked at by full text, and the ranking over title and body.

mod postgres;
mod sqlite;

use afterword_actors::store::{Engine, StoreError};
use sea_orm::ConnectionTrait;

/// A word in the title says this much more than one in the body.
const TITLE_WEIGHT: f64 = 3.0;

/// Writes what full-text search looks at; replaces what was there.
///
/// # Errors
/// [`StoreError`]
pub(crate) async fn index(
    transaction: &impl ConnectionTrait,
    id: i64,
    title: &str,
    body: &str,
) -> Result<(), StoreError> {
    match Engine::of(transaction) {
        Engine::Sqlite => sqlite::index(transaction, id, title, body).await,
        Engine::Postgres => postgres::index(transaction, id, title, body).await,
    }
}

/// Article ids, the best first.
pub(super) async fn ranking(
    connection: &impl ConnectionTrait,
    text: &str,
    folder: &str,
    limit: usize,
) -> Result<Vec<i64>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    match Engine::of(connection) {
        Engine::Sqlite => sqlite::ranking(connection, text, folder, limit).await,
        Engine::Postgres => postgres::ranking(connection, text, folder, limit).await,
    }
}
