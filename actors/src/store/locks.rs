//! Holding articles while something is decided about their tasks.
//!
//! A file has one writer, and nothing to hold. On a server, a save and the end of an attempt may come together: which
//! of them is first decides whether a task goes back to waiting or is superseded, whether vectors are stored or the
//! article wants none. A save holds its article's row because it writes it; whoever else decides takes it here, before
//! looking, and always in the order of ids.

use sea_orm::ConnectionTrait;

use super::{Engine, StoreError, sql::Sql};

/// Holds `articles` (ids) until the commit. One that has been deleted has nothing to hold.
///
/// # Errors
/// [`StoreError`]
pub(super) async fn hold_articles(transaction: &impl ConnectionTrait, articles: &[i64]) -> Result<(), StoreError> {
    if Engine::of(transaction) == Engine::Sqlite || articles.is_empty() {
        return Ok(());
    }
    let ids = serde_json::to_string(articles).unwrap_or_default();
    transaction
        .run("SELECT a.id FROM articles a WHERE a.id IN (SELECT id FROM {ids $1} j) {lock a}", [ids.into()])
        .await
        .map(drop)
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
    transaction
        .run(
            "SELECT a.id FROM articles a WHERE a.id IN (
                 SELECT t.article_id FROM {ids $1} j CROSS JOIN embedding_tasks t WHERE t.id = j.id) {lock a}",
            [ids.into()],
        )
        .await
        .map(drop)
}
