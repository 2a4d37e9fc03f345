//! Renewing leases, finding those that have expired, and releasing the tasks of dead hosts.

use std::time::Duration;

use super::{
    StoreError, hosts, locks,
    settle::{Next, SettledTask, TaskVerdict, settle},
    sql::{self, FromRow, Sql},
    suspects::{FREE_DEATHS, together},
};
use crate::{embedder::ErrorKind, task::Lease};

/// Tasks rescued in one transaction; the next page follows at once.
pub const RESCUE_PAGE: u32 = 500;

/// Renews those leases that are still valid. Returns how many.
///
/// # Errors
/// [`StoreError`]
pub async fn renew(transaction: &impl Sql, leases: &[Lease], lease: Duration) -> Result<u64, StoreError> {
    if leases.is_empty() {
        return Ok(0);
    }
    let pairs: Vec<_> = leases.iter().map(|lease| (lease.task_id, &lease.token)).collect();
    let pairs = sql::json(&pairs)?;
    let lease = sql::millis(lease);
    transaction
        .run(
            "UPDATE embedding_tasks SET lease_expires_at = {now} + $2
             FROM (SELECT t.id AS held_id FROM {rows $1: id BIGINT, token TEXT} j CROSS JOIN embedding_tasks t
                   WHERE t.id = j.id AND t.lease_token = j.token {lock t}) held
             WHERE id = held_id",
            [pairs, lease.into()],
        )
        .await
}

/// Renews every lease of `incarnation`: for a host that is alive but cannot list them at the moment. Returns how many
/// there were.
///
/// # Errors
/// [`StoreError`]
pub async fn renew_all_of(transaction: &impl Sql, incarnation: &str, lease: Duration) -> Result<u64, StoreError> {
    let lease = sql::millis(lease);
    transaction
        .run(
            "UPDATE embedding_tasks SET lease_expires_at = {now} + $2
             FROM (SELECT t.id AS held_id FROM embedding_tasks t
                   WHERE t.status = 'processing' AND t.incarnation = $1 {lock t}) held
             WHERE id = held_id",
            [incarnation.into(), lease.into()],
        )
        .await
}

/// Puts a page of tasks whose lease has expired back into the queue. The attempt counts if its host processed nothing
/// else, and a task without attempts left is failed as `crashed`: see [`super::suspects`]. Those of the incarnation
/// `living` are left alone: a host that is alive releases its tasks itself.
///
/// # Errors
/// [`StoreError`]
pub async fn rescue_expired(transaction: &impl Sql, living: Option<&str>) -> Result<Vec<SettledTask>, StoreError> {
    let rows = transaction
        .rows::<LeaseRow>(
            "SELECT id, lease_token, attempts, crashes, incarnation FROM embedding_tasks
             WHERE status = 'processing' AND lease_expires_at <= {now} AND incarnation IS DISTINCT FROM $2
             ORDER BY lease_expires_at LIMIT $1",
            [i64::from(RESCUE_PAGE).into(), living.unwrap_or_default().into()],
        )
        .await?;
    put_back(transaction, rows, "the lease expired while the task was processed").await
}

/// Puts a page of the tasks that `incarnation` has claimed back into the queue, because it is known to have ended.
///
/// # Errors
/// [`StoreError`]
pub async fn rescue_from(transaction: &impl Sql, incarnation: &str) -> Result<Vec<SettledTask>, StoreError> {
    let rows = transaction
        .rows::<LeaseRow>(
            "SELECT id, lease_token, attempts, crashes, incarnation FROM embedding_tasks
             WHERE status = 'processing' AND incarnation = $2 LIMIT $1",
            [i64::from(RESCUE_PAGE).into(), incarnation.into()],
        )
        .await?;
    put_back(transaction, rows, "the host ended while the task was processed").await
}

/// Puts all tasks of `incarnation` back, because it is known to have ended, and records it as lost. Returns how many
/// tasks there were.
///
/// # Errors
/// [`StoreError`]
pub async fn rescue_all_from(transaction: &impl Sql, incarnation: &str) -> Result<usize, StoreError> {
    let mut rescued = 0;
    loop {
        let page = rescue_from(transaction, incarnation).await?.len();
        if page == 0 {
            hosts::end(transaction, incarnation, "lost").await?;
            return Ok(rescued);
        }
        rescued += page;
    }
}

#[derive(FromRow)]
struct LeaseRow {
    id: i64,
    lease_token: String,
    attempts: i32,
    crashes: i32,
    incarnation: Option<String>,
}

async fn lock_articles(transaction: &impl Sql, rows: &[LeaseRow]) -> Result<(), StoreError> {
    let tasks: Vec<_> = rows.iter().map(|row| row.id).collect();
    locks::hold_articles_of(transaction, &tasks).await
}

async fn put_back(transaction: &impl Sql, rows: Vec<LeaseRow>, reason: &str) -> Result<Vec<SettledTask>, StoreError> {
    lock_articles(transaction, &rows).await?;
    let verdicts: Vec<_> = rows.into_iter().map(|row| verdict(row, reason)).collect();
    let settled = settle(transaction, &verdicts).await?;
    if !settled.is_empty() {
        afterword_faults::point!("rescue.put_back", StoreError::Failed);
    }
    Ok(settled)
}

fn verdict(row: LeaseRow, reason: &str) -> TaskVerdict {
    let host = row.incarnation.as_deref().unwrap_or("an unknown host");
    let crashes = u32::try_from(row.crashes).unwrap_or_default();
    let was_alone = crashes >= FREE_DEATHS;
    let (next, what) = match (was_alone, together(crashes.saturating_add(1))) {
        (true, _) => (Next::Crashed, "no other task was processed there".to_owned()),
        (false, 1) => (Next::Suspected, "it does not count, and the task will be processed alone".to_owned()),
        (false, few) => {
            (Next::Suspected, format!("it does not count, and at most {} will be processed beside it", few - 1))
        }
    };
    let message = format!("attempt {} on host {host}: {reason}; {what}", row.attempts);
    TaskVerdict {
        lease: Lease { task_id: row.id, token: row.lease_token },
        next,
        cause: "rescued",
        error: Some((ErrorKind::Crashed, message)),
    }
}

/// Releases a page of the tasks of `incarnation` itself without counting the attempts, except those under the tokens
/// `known_tokens`: at a clean shutdown, when its QueueActor is restarted, and after a commit whose answer was lost.
///
/// # Errors
/// [`StoreError`]
pub async fn release(
    transaction: &impl Sql,
    incarnation: &str,
    known_tokens: &[String],
) -> Result<Vec<SettledTask>, StoreError> {
    let rows = transaction
        .rows::<LeaseRow>(
            "SELECT id, lease_token, attempts, crashes, incarnation FROM embedding_tasks
             WHERE status = 'processing' AND incarnation = $2
               AND NOT EXISTS (SELECT 1 FROM {texts $3} k WHERE k.text = lease_token) LIMIT $1",
            [i64::from(RESCUE_PAGE).into(), incarnation.into(), sql::json(known_tokens)?],
        )
        .await?;
    lock_articles(transaction, &rows).await?;
    let verdicts: Vec<_> = rows
        .into_iter()
        .map(|row| TaskVerdict {
            lease: Lease { task_id: row.id, token: row.lease_token },
            next: Next::Refund { delay: Duration::ZERO },
            cause: "released",
            error: None,
        })
        .collect();
    settle(transaction, &verdicts).await
}

/// Whether `incarnation` has claimed a task under a token that is not among `known_tokens`.
///
/// # Errors
/// [`StoreError`]
pub async fn has_strays(connection: &impl Sql, incarnation: &str, known_tokens: &[String]) -> Result<bool, StoreError> {
    let found = connection
        .row::<()>(
            "SELECT 1 AS n FROM embedding_tasks
             WHERE status = 'processing' AND incarnation = $1
               AND NOT EXISTS (SELECT 1 FROM {texts $2} k WHERE k.text = lease_token) LIMIT 1",
            [incarnation.into(), sql::json(known_tokens)?],
        )
        .await?;
    Ok(found.is_some())
}
