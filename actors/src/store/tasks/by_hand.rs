//! What people do to tasks: cancel them, and try them again.

use std::collections::HashSet;

use super::look::find;
use crate::{
    store::{
        StoreError, locks,
        sql::{self, Sql},
    },
    task::{Priority, TaskStatus},
};

/// The result of a request about one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Done.
    Done,
    /// There is no such task.
    NotFound,
    /// The task's status does not allow it.
    NotAllowed(TaskStatus),
    /// Another task of the same article waits already; it will do the work.
    AlreadyWaiting(i64),
}

/// Cancels a waiting task.
///
/// # Errors
/// [`StoreError`]
pub async fn cancel(transaction: &impl Sql, id: i64) -> Result<Change, StoreError> {
    let changed = transaction
        .run(
            "UPDATE embedding_tasks SET status = 'cancelled', cause = 'cancelled', updated_at = {now},
                 completed_at = {now}
             WHERE id = $1 AND status = 'pending'",
            [id.into()],
        )
        .await?;
    if changed == 1 { Ok(Change::Done) } else { refused(transaction, id).await }
}

/// Puts a failed or cancelled task back with fresh attempts and high priority; a waiting one is made due at once.
///
/// # Errors
/// [`StoreError`]
pub async fn retry(transaction: &impl Sql, id: i64) -> Result<Change, StoreError> {
    let Some(task) = find(transaction, id).await? else { return Ok(Change::NotFound) };
    locks::hold_articles(transaction, &[task.article_id]).await?;
    if may_be_retried(transaction, id).await? {
        make_way(transaction, &[id]).await?;
    }
    if let Some(other) = waiting_task(transaction, task.article_id).await?
        && other != id
    {
        return Ok(Change::AlreadyWaiting(other));
    }
    let changed = transaction
        .run(
            "UPDATE embedding_tasks SET status = 'pending', cause = 'retried', priority = 'high', attempts = 0,
                 error_kind = NULL, error_message = NULL, completed_at = NULL,
                 updated_at = {now}, scheduled_at = {now}, queue_key = {now}
             WHERE id = $1 AND status IN ('failed', 'cancelled', 'pending')",
            [id.into()],
        )
        .await?;
    if changed == 1 { Ok(Change::Done) } else { refused(transaction, id).await }
}

/// Checked before other tasks make way for it.
async fn may_be_retried(connection: &impl Sql, id: i64) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM embedding_tasks WHERE id = $1 AND status IN ('failed', 'cancelled', 'pending')";
    Ok(connection.row::<()>(sql, [id.into()]).await?.is_some())
}

/// The result of a page of failed tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retried {
    /// Tasks that wait again.
    pub tasks: u64,
    /// Where the next page begins; `None` if this was the last.
    pub next: Option<i64>,
}

/// Looks at the `page` failed tasks behind the number `after`, and puts back with fresh attempts those that are the
/// newest of their article and model. As they are many, they go behind what is saved meanwhile.
///
/// # Errors
/// [`StoreError`]
pub async fn retry_failed(transaction: &impl Sql, after: i64, page: u32) -> Result<Retried, StoreError> {
    let mut candidates = transaction.rows::<(i64, i64, bool)>(GIVEN_UP, [i64::from(page).into(), after.into()]).await?;
    let is_full = candidates.len() >= page as usize;
    let next = candidates.last().map(|(id, ..)| *id).filter(|_| is_full);
    // An article may have failed by two models: only one of its tasks waits at a time.
    let mut seen = HashSet::new();
    candidates.retain(|(_, article, is_given_up)| *is_given_up && seen.insert(*article));
    let (ids, articles): (Vec<_>, Vec<_>) = candidates.into_iter().map(|(id, article, _)| (id, article)).unzip();
    locks::hold_articles(transaction, &articles).await?;
    make_way(transaction, &ids).await?;
    let handicap = sql::millis(Priority::Low.handicap());
    let tasks = transaction
        .run(
            "UPDATE embedding_tasks SET status = 'pending', cause = 'retried', priority = 'low', attempts = 0,
                 error_kind = NULL, error_message = NULL, completed_at = NULL,
                 updated_at = {now}, scheduled_at = {now}, queue_key = {now} + $2
             WHERE id IN (SELECT id FROM {ids $1} j) AND status = 'failed'
               AND NOT EXISTS (SELECT 1 FROM embedding_tasks p
                               WHERE p.article_id = embedding_tasks.article_id AND p.status = 'pending')",
            [sql::json(&ids)?, handicap.into()],
        )
        .await?;
    Ok(Retried { tasks, next })
}

/// Failed tasks, and whether each is its article's newest and nothing else is going to embed the article.
const GIVEN_UP: &str = "
    SELECT f.id, f.article_id,
           EXISTS (SELECT 1 FROM articles a WHERE a.id = f.article_id AND NOT a.skip_embedding)
           AND NOT EXISTS (SELECT 1 FROM embedding_tasks n
                           WHERE n.article_id = f.article_id AND n.id > f.id AND n.status <> 'cancelled'
                             AND n.model_id IS NOT DISTINCT FROM f.model_id)
           AND (f.model_id IS NULL OR f.model_id IN (SELECT id FROM embedding_models WHERE state <> 'retired'))
           AND NOT EXISTS (SELECT 1 FROM embedding_tasks p
                           WHERE p.article_id = f.article_id AND p.status = 'pending'
                             AND (p.model_id IS NULL OR p.model_id = f.model_id
                                  OR p.model_id NOT IN (SELECT id FROM embedding_models WHERE state = 'building')))
           AS is_given_up
    FROM embedding_tasks f WHERE f.status = 'failed' AND f.id > $2 ORDER BY f.id LIMIT $1";

/// Takes tasks that wait for a set that is being built out of the way of `tasks` (ids) of other sets: when those have
/// ended, they are queued again.
async fn make_way(transaction: &impl Sql, tasks: &[i64]) -> Result<(), StoreError> {
    let ids = sql::json(tasks)?;
    transaction
        .run(
            "UPDATE embedding_tasks SET status = 'cancelled', cause = 'superseded', updated_at = {now},
                 completed_at = {now}
             WHERE status = 'pending' AND model_id = (SELECT id FROM embedding_models WHERE state = 'building')
               AND article_id IN (SELECT t.article_id FROM {ids $1} j CROSS JOIN embedding_tasks t
                                  WHERE t.id = j.id AND t.model_id IS DISTINCT FROM embedding_tasks.model_id)",
            [ids],
        )
        .await
        .map(drop)
}

async fn refused(connection: &impl Sql, id: i64) -> Result<Change, StoreError> {
    let Some(task) = find(connection, id).await? else { return Ok(Change::NotFound) };
    let status = task.status.parse().map_err(|error| StoreError::Unexpected(format!("{error}")))?;
    Ok(Change::NotAllowed(status))
}

async fn waiting_task(connection: &impl Sql, article_id: i64) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM embedding_tasks WHERE article_id = $1 AND status = 'pending'";
    connection.row(sql, [article_id.into()]).await
}
