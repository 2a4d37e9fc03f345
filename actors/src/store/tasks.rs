//! Queuing a task in the transaction of the save, and what people do to tasks by hand.

use std::collections::HashSet;

use afterword_entities::embedding_task;

use super::{
    StoreError, locks,
    sql::{Sql, Value},
};
use crate::task::{NewTask, Priority, TaskStatus};

/// Queues `task` for the set in use, or lets the article's waiting task do its work too: `n` edits cause one embedding.
///
/// A newer revision gives a waiting task fresh attempts and makes it due at once; the same revision asked for again
/// only raises its priority. A waiting task of a set that is being built becomes one of the set in use; the other set's
/// turn comes when it has ended ([`super::backlog::queue_next`]). It no longer belongs to the bulk run that queued it:
/// cancelling that run does not cancel the save's task.
///
/// Returns the task's id. Call it in the transaction that saved the article, after the article's own statement.
///
/// # Errors
/// [`StoreError`]; the transaction must then be rolled back.
pub async fn enqueue(transaction: &impl Sql, task: &NewTask) -> Result<i64, StoreError> {
    let handicap = i64::try_from(task.priority.handicap().as_millis()).unwrap_or(i64::MAX);
    let (id, joined) = transaction
        .one::<(i64, bool)>(
            ENQUEUE,
            [
                task.article_id.into(),
                task.slug.clone().into(),
                task.operation.as_str().into(),
                task.priority.as_str().into(),
                task.revision.into(),
                i64::from(task.max_attempts).into(),
                handicap.into(),
                task.cause.into(),
                task.trace_id.clone().into(),
            ],
        )
        .await?;
    if joined {
        transaction.run(ADOPT, [task.article_id.into(), id.into()]).await?;
    }
    Ok(id)
}

/// Marks the items of open bulk runs that have a task which a save has joined.
const ADOPT: &str = "
    UPDATE bulk_items SET adopted = TRUE
    WHERE bulk_id IN (SELECT id FROM bulk_operations WHERE state IN ('queuing', 'running'))
      AND article_id = $1 AND task_id = $2 AND NOT adopted";

const ENQUEUE: &str = "
    INSERT INTO embedding_tasks AS t
        (article_id, slug, operation, status, priority, revision, attempts, max_attempts,
         created_at, updated_at, scheduled_at, queue_key, cause, trace_id, model_id)
    VALUES ($1, $2, $3, 'pending', $4, $5, 0, $6, {now}, {now}, {now}, {now} + $7, $8, $9,
            (SELECT id FROM embedding_models WHERE state = 'active'))
    ON CONFLICT (article_id) WHERE status = 'pending' DO UPDATE SET
        slug = excluded.slug,
        operation = CASE WHEN t.operation = 'create' AND excluded.operation = 'update' THEN 'create'
                         ELSE excluded.operation END,
        priority = CASE WHEN excluded.queue_key - excluded.scheduled_at < t.queue_key - t.scheduled_at
                        THEN excluded.priority ELSE t.priority END,
        attempts = CASE WHEN excluded.revision > t.revision OR excluded.model_id IS DISTINCT FROM t.model_id THEN 0
                        ELSE t.attempts END,
        error_kind = CASE WHEN excluded.revision > t.revision THEN NULL ELSE t.error_kind END,
        error_message = CASE WHEN excluded.revision > t.revision THEN NULL ELSE t.error_message END,
        scheduled_at = CASE WHEN excluded.revision > t.revision OR excluded.priority = 'high'
                            THEN {least}(t.scheduled_at, excluded.scheduled_at) ELSE t.scheduled_at END,
        queue_key = CASE WHEN excluded.revision > t.revision OR excluded.priority = 'high'
                         THEN {least}(t.queue_key, excluded.queue_key) ELSE t.queue_key END,
        max_attempts = excluded.max_attempts,
        revision = {greatest}(t.revision, excluded.revision),
        model_id = excluded.model_id,
        trace_id = excluded.trace_id,
        updated_at = excluded.updated_at,
        cause = 'coalesced'
    RETURNING id, cause = 'coalesced' AS joined";

/// Cancels an article's waiting task, because nothing is left to embed. Returns how many there were: 0 or 1.
///
/// # Errors
/// [`StoreError`]
pub async fn withdraw(transaction: &impl Sql, article_id: i64, cause: &'static str) -> Result<u64, StoreError> {
    transaction
        .run(
            "UPDATE embedding_tasks SET status = 'cancelled', cause = $2, updated_at = {now}, completed_at = {now}
             WHERE article_id = $1 AND status = 'pending'",
            [article_id.into(), cause.into()],
        )
        .await
}

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
    let handicap = i64::try_from(Priority::Low.handicap().as_millis()).unwrap_or(i64::MAX);
    let tasks = transaction
        .run(
            "UPDATE embedding_tasks SET status = 'pending', cause = 'retried', priority = 'low', attempts = 0,
                 error_kind = NULL, error_message = NULL, completed_at = NULL,
                 updated_at = {now}, scheduled_at = {now}, queue_key = {now} + $2
             WHERE id IN (SELECT id FROM {ids $1} j) AND status = 'failed'
               AND NOT EXISTS (SELECT 1 FROM embedding_tasks p
                               WHERE p.article_id = embedding_tasks.article_id AND p.status = 'pending')",
            [serde_json::to_string(&ids).unwrap_or_default().into(), handicap.into()],
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

/// Finds one task.
///
/// # Errors
/// [`StoreError`]
pub async fn find(connection: &impl Sql, id: i64) -> Result<Option<embedding_task::Model>, StoreError> {
    connection.row("SELECT * FROM embedding_tasks WHERE id = $1", [id.into()]).await
}

/// Finds the newest task of an article.
///
/// # Errors
/// [`StoreError`]
pub async fn newest_of(connection: &impl Sql, article_id: i64) -> Result<Option<embedding_task::Model>, StoreError> {
    connection
        .row("SELECT * FROM embedding_tasks WHERE article_id = $1 ORDER BY id DESC LIMIT 1", [article_id.into()])
        .await
}

/// Which tasks to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these; all if empty.
    pub status: Option<TaskStatus>,
    /// Only of this article.
    pub article_id: Option<i64>,
    /// Only older than this task: the end of the page before.
    pub before: Option<i64>,
    /// Most rows.
    pub limit: u32,
}

/// Returns tasks, the newest first.
///
/// # Errors
/// [`StoreError`]
pub async fn list(connection: &impl Sql, filter: &Filter) -> Result<Vec<embedding_task::Model>, StoreError> {
    let mut sql = "SELECT * FROM embedding_tasks WHERE id < $2".to_owned();
    let mut values: Vec<Value> = vec![i64::from(filter.limit).into(), filter.before.unwrap_or(i64::MAX).into()];
    // The statement contains only the conditions that are asked for, with the status as its index writes it: a
    // condition left to parameters would be planned for any value, by reading all tasks.
    match (filter.status, filter.article_id) {
        // An article has few tasks: they are searched among its own, whatever their status, and not among all of that
        // status.
        (Some(status), Some(_)) => sql.push_str(&format!(" AND coalesce(status, '') = '{status}'")),
        // `id > 0` tells it apart from the look for an article's waiting task: see the index.
        (Some(TaskStatus::Pending), None) => sql.push_str(" AND status = 'pending' AND id > 0"),
        (Some(status), None) => sql.push_str(&format!(" AND status = '{status}'")),
        (None, _) => {}
    }
    if let Some(article) = filter.article_id {
        sql.push_str(" AND article_id = $3");
        values.push(article.into());
    }
    sql.push_str(" ORDER BY id DESC LIMIT $1");
    connection.rows(&sql, values).await
}

/// Counts the tasks of an article, of one status or of all.
///
/// # Errors
/// [`StoreError`]
pub async fn count_of_article(
    connection: &impl Sql,
    article_id: i64,
    status: Option<TaskStatus>,
) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) AS n FROM embedding_tasks
               WHERE article_id = $1 AND ($2 IS NULL OR coalesce(status, '') = $2)";
    let status = status.map(|status| status.to_string());
    let counted = connection.row::<i64>(sql, [article_id.into(), status.into()]).await?;
    Ok(counted.unwrap_or(0))
}

/// Takes tasks that wait for a set that is being built out of the way of `tasks` (ids) of other sets: when those have
/// ended, they are queued again.
async fn make_way(transaction: &impl Sql, tasks: &[i64]) -> Result<(), StoreError> {
    let ids = serde_json::to_string(tasks).unwrap_or_default();
    transaction
        .run(
            "UPDATE embedding_tasks SET status = 'cancelled', cause = 'superseded', updated_at = {now},
                 completed_at = {now}
             WHERE status = 'pending' AND model_id = (SELECT id FROM embedding_models WHERE state = 'building')
               AND article_id IN (SELECT t.article_id FROM {ids $1} j CROSS JOIN embedding_tasks t
                                  WHERE t.id = j.id AND t.model_id IS DISTINCT FROM embedding_tasks.model_id)",
            [ids.into()],
        )
        .await
        .map(drop)
}

/// Brings forward a page of waiting tasks that were scheduled before the clock was set back: each waits from now as
/// long as it was to wait then. Returns how many there were.
///
/// # Errors
/// [`StoreError`]
pub async fn follow_the_clock(transaction: &impl Sql, page: u32) -> Result<u64, StoreError> {
    transaction
        .run(
            "UPDATE embedding_tasks SET
                 queue_key = queue_key - (updated_at - {now}), scheduled_at = scheduled_at - (updated_at - {now}),
                 updated_at = {now}
             WHERE id IN (
                 SELECT t.id FROM embedding_tasks t
                 WHERE t.status = 'pending' AND t.updated_at > {now} + $2 LIMIT $1 + 0)",
            [i64::from(page).into(), CLOCK_TOLERANCE_MS.into()],
        )
        .await
}

/// Clocks of a cluster differ by less than this; a smaller step back delays nothing that matters.
const CLOCK_TOLERANCE_MS: i64 = 2_000;

async fn refused(connection: &impl Sql, id: i64) -> Result<Change, StoreError> {
    let Some(task) = find(connection, id).await? else { return Ok(Change::NotFound) };
    let status = task.status.parse().map_err(|error| StoreError::Unexpected(format!("{error}")))?;
    Ok(Change::NotAllowed(status))
}

async fn waiting_task(connection: &impl Sql, article_id: i64) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM embedding_tasks WHERE article_id = $1 AND status = 'pending'";
    connection.row(sql, [article_id.into()]).await
}
