//! Locks on articles while their tasks are decided about.
//!
//! SQLite has one writer, so nothing to lock. On PostgreSQL, a save and the end of an attempt may coincide: their order
//! decides whether a task goes back to waiting or is superseded, and whether vectors are stored or the article wants
//! none. A save locks its article's row by writing it; every other decision locks it here, before reading, and always
//! in the order of ids.
//!
//! Each statement of a transaction sees what was committed until it began. So what one statement finds and another acts
//! on is locked in between, or else one statement finds and changes it. Claims are the exception that needs a lock of
//! its own: they lock no article, and pass over waiting tasks that are locked.
//!
//! The set in use changes for all articles at once. So a transaction that stores vectors, or that queues articles for a
//! set, first of all shares the lock on the set in use. A change of the set waits for all such transactions, counts
//! what they have stored, and locks nothing before that.
//!
//! A deleted article has no row to lock, and may be restored at any moment. So a decision about its tasks, and its
//! restoration, lock its number instead.

use super::{
    Engine, StoreError, advisory_locks,
    sql::{self, Sql},
};

/// Locks `articles` (ids) until the commit; deleted ones too.
///
/// # Errors
/// [`StoreError`]
pub async fn hold_articles(transaction: &impl Sql, articles: &[i64]) -> Result<(), StoreError> {
    if transaction.engine() == Engine::Sqlite || articles.is_empty() {
        return Ok(());
    }
    let locked = hold_rows(transaction, articles).await?;
    let mut deleted: Vec<i64> = articles.iter().copied().filter(|id| !locked.contains(id)).collect();
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

/// Keeps the waiting tasks of `articles`, which are locked, waiting until the commit: claims pass over them.
///
/// # Errors
/// [`StoreError`]
pub(super) async fn hold_waiting(transaction: &impl Sql, articles: &[i64]) -> Result<(), StoreError> {
    if transaction.engine() == Engine::Sqlite || articles.is_empty() {
        return Ok(());
    }
    let waiting = "SELECT t.id FROM {ids $1} j JOIN embedding_tasks t ON t.article_id = j.id AND t.status = 'pending'
                   {lock t}";
    transaction.rows::<i64>(waiting, [sql::json(articles)?]).await.map(drop)
}

async fn hold_rows(transaction: &impl Sql, articles: &[i64]) -> Result<Vec<i64>, StoreError> {
    let ids = sql::json(articles)?;
    transaction.rows("SELECT a.id FROM articles a WHERE a.id IN (SELECT id FROM {ids $1} j) {lock a}", [ids]).await
}

/// Locks the number of a deleted article until the commit.
///
/// # Errors
/// [`StoreError`]
pub async fn hold_deleted(transaction: &impl Sql, article: i64) -> Result<(), StoreError> {
    match transaction.engine() {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => transaction.run(advisory_locks::LOCK_DELETED_ARTICLE, [article.into()]).await.map(drop),
    }
}

/// Until the commit, no set takes the place of the one in use.
///
/// # Errors
/// [`StoreError`]
pub(super) async fn hold_sets(transaction: &impl Sql) -> Result<(), StoreError> {
    match transaction.engine() {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => transaction.run(advisory_locks::SHARE_SET_IN_USE, []).await.map(drop),
    }
}

/// Waits for all transactions that hold the sets ([`hold_sets`]); until the commit, no other one can.
///
/// # Errors
/// [`StoreError`]
pub(super) async fn change_sets(transaction: &impl Sql) -> Result<(), StoreError> {
    match transaction.engine() {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => transaction.run(advisory_locks::EXCLUDE_FROM_SET_IN_USE, []).await.map(drop),
    }
}

/// Locks the articles of `tasks` (ids) until the commit, after the sets ([`hold_sets`], in the same statement).
///
/// # Errors
/// [`StoreError`]
pub(super) async fn hold_articles_of(transaction: &impl Sql, tasks: &[i64]) -> Result<(), StoreError> {
    if transaction.engine() == Engine::Sqlite || tasks.is_empty() {
        return Ok(());
    }
    let ids = sql::json(tasks)?;
    let lock = "SELECT a.id FROM sets CROSS JOIN articles a WHERE a.id IN (
                    SELECT t.article_id FROM {ids $1} j CROSS JOIN embedding_tasks t WHERE t.id = j.id) {lock a}";
    let sql = format!("WITH sets AS MATERIALIZED ({}) {lock}", advisory_locks::SHARE_SET_IN_USE);
    let locked: Vec<i64> = transaction.rows(&sql, [ids.clone()]).await?;
    // An article has at most one task in `processing`: usually all are locked now.
    if locked.len() >= tasks.len() {
        return Ok(());
    }
    // Where no article was found, the sets may not have been locked.
    hold_sets(transaction).await?;
    let all: Vec<i64> = transaction
        .rows(
            "SELECT DISTINCT t.article_id AS id FROM {ids $1} j CROSS JOIN embedding_tasks t WHERE t.id = j.id",
            [ids],
        )
        .await?;
    hold_articles(transaction, &all).await
}
