//! Queuing a task in the transaction of the save, and withdrawing it.

mod by_hand;
mod look;

pub use by_hand::{Change, Retried, cancel, retry, retry_failed};
pub use look::{Filter, count_of_article, find, list, newest_of};

use super::{
    StoreError, locks,
    sql::{self, Sql},
};
use crate::task::NewTask;

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
    let handicap = sql::millis(task.priority.handicap());
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
        transaction.later(ADOPT, [task.article_id.into(), id.into()]).await?;
    }
    Ok(id)
}

/// Marks the items of open bulk runs that have a task which a save has joined.
const ADOPT: &str = "
    UPDATE bulk_items SET adopted = TRUE
    WHERE bulk_id IN (SELECT id FROM bulk_operations WHERE state IN ('queuing', 'running'))
      AND article_id = $1 AND task_id = $2 AND NOT adopted";

/// A time of its last change that has not come yet stays: it says that the clock was set back ([`follow_the_clock`]).
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
        updated_at = {greatest}(t.updated_at, excluded.updated_at),
        cause = 'coalesced'
    RETURNING id, cause = 'coalesced' AS joined";

/// Cancels an article's waiting task, because nothing is left to embed. Returns how many there were: 0 or 1.
///
/// # Errors
/// [`StoreError`]
pub async fn withdraw(transaction: &impl Sql, article_id: i64, cause: &'static str) -> Result<u64, StoreError> {
    // The article before its task, as everywhere: two that took them in turns would wait for each other.
    locks::hold_articles(transaction, &[article_id]).await?;
    transaction
        .run(
            "UPDATE embedding_tasks SET status = 'cancelled', cause = $2, updated_at = {now}, completed_at = {now}
             WHERE article_id = $1 AND status = 'pending'",
            [article_id.into(), cause.into()],
        )
        .await
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
