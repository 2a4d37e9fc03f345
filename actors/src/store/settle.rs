//! Ending an attempt: vectors and task state in one transaction, fenced by the lease token.
//!
//! Finish, retry, release and rescue are one statement with different verdicts, so that the rules (attempts, the one
//! waiting task of an article) are in one place.

use std::time::Duration;

use super::{
    StoreError,
    sql::{self, FromRow, Sql},
};
use crate::{
    embedder::ErrorKind,
    task::{Lease, TaskStatus},
};

/// What is to become of a claimed task.
#[derive(Debug, Clone)]
pub struct TaskVerdict {
    /// The lease; the verdict is applied only if it is still valid.
    pub lease: Lease,
    /// The task's next state.
    pub next: Next,
    /// The reason, for the audit trail.
    pub cause: &'static str,
    /// The error, if there was one.
    pub error: Option<(ErrorKind, String)>,
}

/// The next state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Done.
    Completed,
    /// Given up.
    Failed,
    /// Not needed any more.
    Cancelled,
    /// Again after `delay`, if attempts are left; failed if not.
    Retry {
        /// From now, by the database's clock.
        delay: Duration,
    },
    /// Again after `delay`, and this attempt does not count.
    Refund {
        /// From now, by the database's clock.
        delay: Duration,
    },
    /// Again at once: its host has died. The death is counted with the task, but not as an attempt.
    Suspected,
    /// Again at once, if attempts are left: its host has died while processing nothing else.
    Crashed,
}

/// The state of a task after its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledTask {
    /// `embedding_tasks.id`
    pub task_id: i64,
    /// Its new status.
    pub status: TaskStatus,
    /// Attempts that count.
    pub attempts: u32,
}

#[derive(FromRow)]
struct SettledRow {
    id: i64,
    status: String,
    attempts: i32,
    cause: String,
    crashes: i32,
}

/// Applies the verdicts. Those without a valid lease are missing from the answer: the task belongs to another claim.
///
/// A task that would go back to waiting is cancelled instead if a newer task of its article waits already, which does
/// its work too; that one no longer belongs to the bulk run that queued it, and takes over the count of host deaths.
/// The caller locks the articles (`store::locks`), so that no task starts to wait meanwhile.
///
/// # Errors
/// [`StoreError`]
pub async fn settle(transaction: &impl Sql, verdicts: &[TaskVerdict]) -> Result<Vec<SettledTask>, StoreError> {
    if verdicts.is_empty() {
        return Ok(Vec::new());
    }
    let rows =
        transaction.rows::<SettledRow>(SETTLE, [sql::json(&verdicts.iter().map(as_row).collect::<Vec<_>>())?]).await?;
    let superseded: Vec<_> = rows.iter().filter(|row| row.cause == "superseded").map(|row| row.id).collect();
    if !superseded.is_empty() {
        transaction.later(HAND_OVER, [sql::json(&superseded)?]).await?;
    }
    let suspects = rows.iter().filter(|row| row.cause == "superseded" && row.crashes > 0);
    let suspects: Vec<_> = suspects.map(|row| row.id).collect();
    if !suspects.is_empty() {
        transaction.later(SUSPECT_NEXT, [sql::json(&suspects)?]).await?;
    }
    rows.into_iter().map(settled).collect()
}

/// Returns the present state of these tasks (ids): for verdicts when the commit gave no answer.
///
/// # Errors
/// [`StoreError`]
pub async fn present_states(connection: &impl Sql, tasks: &[i64]) -> Result<Vec<SettledTask>, StoreError> {
    if tasks.is_empty() {
        return Ok(Vec::new());
    }
    let ids = sql::json(tasks)?;
    let sql = "SELECT t.id, t.status, t.attempts, t.cause, t.crashes
               FROM {ids $1} j CROSS JOIN embedding_tasks t WHERE t.id = j.id";
    connection.rows::<SettledRow>(sql, [ids]).await?.into_iter().map(settled).collect()
}

fn settled(row: SettledRow) -> Result<SettledTask, StoreError> {
    let status = row.status.parse().map_err(|error| StoreError::Unexpected(format!("{error}")))?;
    Ok(SettledTask { task_id: row.id, status, attempts: u32::try_from(row.attempts).unwrap_or_default() })
}

fn as_row(verdict: &TaskVerdict) -> serde_json::Value {
    let (status, delay, refund, crashes) = match verdict.next {
        Next::Completed => ("completed", Duration::ZERO, 0, 0),
        Next::Failed => ("failed", Duration::ZERO, 0, 0),
        Next::Cancelled => ("cancelled", Duration::ZERO, 0, 0),
        Next::Retry { delay } => ("pending", delay, 0, 0),
        Next::Refund { delay } => ("pending", delay, 1, 0),
        Next::Suspected => ("pending", Duration::ZERO, 1, 1),
        Next::Crashed => ("pending", Duration::ZERO, 0, 1),
    };
    let (kind, message) = match &verdict.error {
        // PostgreSQL has no NUL in text.
        Some((kind, message)) => (Some(kind.as_str()), Some(message.replace('\0', ""))),
        None => (None, None),
    };
    serde_json::json!([
        verdict.lease.task_id,
        verdict.lease.token,
        status,
        verdict.cause,
        kind,
        message,
        sql::millis(delay),
        refund,
        crashes
    ])
}

/// A task with a token is in `processing`: a constraint of the table says so. Checking the status too would make a
/// planner compare all such tasks with all verdicts.
///
/// `handicap` repeats [`crate::task::Priority::handicap`]; a test checks that they agree.
const SETTLE: &str = "
    UPDATE embedding_tasks SET
        status = v.status,
        cause = CASE WHEN v.status = 'failed' THEN 'failed'
                     WHEN v.status = 'cancelled' AND v.asked = 'pending' THEN 'superseded' ELSE v.cause END,
        attempts = attempts - v.refund, crashes = crashes + v.crashed,
        updated_at = {now},
        completed_at = CASE WHEN v.status = 'pending' THEN NULL ELSE {now} END,
        scheduled_at = CASE WHEN v.status = 'pending' THEN {now} + v.delay ELSE scheduled_at END,
        queue_key = CASE WHEN v.status = 'pending'
                         THEN {now} + v.delay + CASE priority WHEN 'high' THEN 0 WHEN 'normal' THEN 60000 ELSE 7200000 END
                         ELSE queue_key END,
        lease_token = NULL, lease_expires_at = NULL,
        error_kind = v.error_kind, error_message = v.error_message
    FROM (
        SELECT t.id AS task_id, j.cause, j.error_kind, j.error_message, j.delay, j.refund, j.crashed, j.asked,
               CASE WHEN j.asked <> 'pending' THEN j.asked
                    WHEN EXISTS (SELECT 1 FROM embedding_tasks n
                                 WHERE n.article_id = t.article_id AND n.status = 'pending') THEN 'cancelled'
                    WHEN t.attempts - j.refund >= t.max_attempts THEN 'failed'
                    ELSE 'pending' END AS status
        FROM {rows $1: id BIGINT, token TEXT, asked TEXT, cause TEXT, error_kind TEXT, error_message TEXT, \
                  delay BIGINT, refund INTEGER, crashed INTEGER} j
        CROSS JOIN embedding_tasks t
        WHERE t.id = j.id AND t.lease_token = j.token {lock t}
    ) v
    WHERE id = v.task_id
    RETURNING id, embedding_tasks.status, attempts, embedding_tasks.cause, crashes";

/// The waiting task does a superseded task's work: no bulk run may cancel it.
const HAND_OVER: &str = "
    UPDATE bulk_items SET adopted = TRUE
    WHERE NOT adopted AND bulk_id IN (SELECT id FROM bulk_operations WHERE state IN ('queuing', 'running'))
      AND task_id IN (SELECT n.id FROM {ids $1} j CROSS JOIN embedding_tasks t CROSS JOIN embedding_tasks n
                      WHERE t.id = j.id AND n.article_id = t.article_id AND n.status = 'pending')";

/// Editing an article that kills hosts does not make it harmless.
const SUSPECT_NEXT: &str = "
    UPDATE embedding_tasks SET crashes = {greatest}(embedding_tasks.crashes, o.crashes)
    FROM (SELECT t.article_id AS of_article, t.crashes FROM {ids $1} j CROSS JOIN embedding_tasks t WHERE t.id = j.id) o
    WHERE article_id = o.of_article AND status = 'pending'";

#[cfg(test)]
mod tests {
    use crate::task::Priority;

    #[test]
    fn handicaps_in_sql_are_those_of_the_type() {
        assert_eq!(Priority::High.handicap().as_millis(), 0);
        assert!(super::SETTLE.contains(&format!("'normal' THEN {}", Priority::Normal.handicap().as_millis())));
        assert!(super::SETTLE.contains(&format!("ELSE {}", Priority::Low.handicap().as_millis())));
    }
}
