//! Holding articles while something is decided about their tasks.
//!
//! SQLite has one writer, and nothing to hold. On PostgreSQL, a save and the end of an attempt may come together: which
//! of them is first decides whether a task goes back to waiting or is superseded, whether vectors are stored or the
//! article wants none. A save holds its article's row because it writes it; whoever else decides takes it here, before
//! looking, and always in the order of ids.

//!
//! An article that has been deleted has no row to hold, and may be restored at any moment. So whoever decides about its
//! tasks, and whoever restores it, holds its number instead.

use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{Engine, StoreError, sql::Sql};

#[derive(FromQueryResult)]
struct Held {
    id: i64,
}

/// Holds `articles` (ids) until the commit; those that have been deleted, too.
///
/// # Errors
/// [`StoreError`]
pub(super) async fn hold_articles(transaction: &impl ConnectionTrait, articles: &[i64]) -> Result<(), StoreError> {
    if Engine::of(transaction) == Engine::Sqlite || articles.is_empty() {
        return Ok(());
    }
    let held = hold_rows(transaction, articles).await?;
    let mut deleted: Vec<i64> = articles.iter().copied().filter(|id| !held.iter().any(|row| row.id == *id)).collect();
    if deleted.is_empty() {
        return Ok(());
    }
    deleted.sort_unstable();
    deleted.dedup();
    for id in &deleted {
        hold_deleted(transaction, *id).await?;
    }
    // One of them may have been restored while its number was waited for.
    hold_rows(transaction, &deleted).await.map(drop)
}

async fn hold_rows(transaction: &impl ConnectionTrait, articles: &[i64]) -> Result<Vec<Held>, StoreError> {
    let ids = serde_json::to_string(articles).unwrap_or_default();
    transaction
        .rows("SELECT a.id FROM articles a WHERE a.id IN (SELECT id FROM {ids $1} j) {lock a}", [ids.into()])
        .await
}

/// Holds the number of an article that has been deleted, until the commit.
///
/// # Errors
/// [`StoreError`]
pub async fn hold_deleted(transaction: &impl ConnectionTrait, article: i64) -> Result<(), StoreError> {
    match Engine::of(transaction) {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => transaction
            .run(
                "SELECT pg_advisory_xact_lock(7167, CAST(CAST($1 AS BIGINT) % 2147483647 AS INTEGER))",
                [article.into()],
            )
            .await
            .map(drop),
    }
}

/// Holds the articles of `tasks` (ids) until the commit.
///
/// # Errors
/// [`StoreError`]
pub(super) async fn hold_articles_of(transaction: &impl ConnectionTrait, tasks: &[i64]) -> Result<(), StoreError> {
    if Engine::of(transaction) == Engine::Sqlite || tasks.is_empty() {
        return Ok(());
    }
    let ids = serde_json::to_string(tasks).unwrap_or_default();
    let held: Vec<Held> = transaction
        .rows(
            "SELECT a.id FROM articles a WHERE a.id IN (
                 SELECT t.article_id FROM {ids $1} j CROSS JOIN embedding_tasks t WHERE t.id = j.id) {lock a}",
            [ids.clone().into()],
        )
        .await?;
    // An article has one task in work: usually all are held now.
    if held.len() >= tasks.len() {
        return Ok(());
    }
    let all: Vec<Held> = transaction
        .rows(
            "SELECT DISTINCT t.article_id AS id FROM {ids $1} j CROSS JOIN embedding_tasks t WHERE t.id = j.id",
            [ids.into()],
        )
        .await?;
    hold_articles(transaction, &all.iter().map(|article| article.id).collect::<Vec<_>>()).await
}
