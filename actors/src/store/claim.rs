//! Taking tasks off the queue: one guarded statement, a fresh token for each claim.

use std::{collections::HashMap, time::Duration};

use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use super::{StoreError, sql::Sql, subject};
use crate::task::{ClaimedTask, Lease, Slot, Subject};

/// Who claims, for what.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// This start of this host.
    pub incarnation: &'a str,
    /// The free slots; at most one task for each.
    pub slots: &'a [Slot],
    /// How long the lease holds unless it is renewed.
    pub lease: Duration,
    /// The model the subjects are looked at for.
    pub model_id: i64,
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    article_id: i64,
    slug: String,
    operation: String,
    priority: String,
    revision: i64,
    attempts: i64,
    max_attempts: i64,
    slot: i64,
    waited: i64,
    trace_id: Option<String>,
}

/// Claims up to `claim.slots.len()` due tasks, those that have waited longest for their priority first. Nothing while
/// the queue is paused; never an article of which a task is in work.
///
/// # Errors
/// [`StoreError`]
pub async fn claim(transaction: &impl ConnectionTrait, claim: Claim<'_>) -> Result<Vec<ClaimedTask>, StoreError> {
    run(transaction, claim, CLAIM_DUE, None).await
}

/// Claims one task by its id, due or not: for embedding inside the save call.
///
/// # Errors
/// [`StoreError`]
pub async fn claim_one(
    transaction: &impl ConnectionTrait,
    request: Claim<'_>,
    task_id: i64,
) -> Result<Option<ClaimedTask>, StoreError> {
    Ok(run(transaction, request, CLAIM_ONE, Some(task_id)).await?.pop())
}

/// A limit that is a bare parameter makes SQLite compile the whole statement again at each call; a sum does not.
const CLAIM_DUE: &str = "
    SELECT t.id FROM embedding_tasks t
    WHERE t.status = 'pending' AND t.scheduled_at <= {now} AND $6 IS NULL
      AND NOT EXISTS (SELECT 1 FROM embedding_tasks p WHERE p.article_id = t.article_id AND p.status = 'processing')
      AND NOT EXISTS (SELECT 1 FROM queue_control WHERE key = 'paused')
    ORDER BY t.queue_key, t.id LIMIT $5 + 0";

const CLAIM_ONE: &str = "
    SELECT t.id FROM embedding_tasks t
    WHERE t.status = 'pending' AND t.id = $6
      AND NOT EXISTS (SELECT 1 FROM embedding_tasks p WHERE p.article_id = t.article_id AND p.status = 'processing')
    LIMIT $5 + 0";

async fn run(
    transaction: &impl ConnectionTrait,
    claim: Claim<'_>,
    which: &str,
    task_id: Option<i64>,
) -> Result<Vec<ClaimedTask>, StoreError> {
    // Version 7: unique over hosts and restarts, and in the order of the claims for whoever reads the table.
    let token = Uuid::now_v7().simple().to_string();
    let slots = serde_json::to_string(claim.slots).unwrap_or_default();
    let sql = format!(
        "UPDATE embedding_tasks SET
             status = 'processing', cause = 'claimed', attempts = attempts + 1, lease_token = $1,
             lease_expires_at = {{now}} + $2, incarnation = $3, slot = picked.slot,
             started_at = {{now}}, updated_at = {{now}}
         FROM (SELECT id AS picked_id, $4 ->> (row_number() OVER () - 1) AS slot FROM ({which})) picked
         WHERE id = picked_id
         RETURNING id, article_id, slug, operation, priority, revision, attempts, max_attempts, slot,
                   started_at - scheduled_at AS waited, trace_id"
    );
    let lease = i64::try_from(claim.lease.as_millis()).unwrap_or(i64::MAX);
    let limit = i64::try_from(claim.slots.len()).unwrap_or(i64::MAX);
    let rows = transaction
        .rows::<Row>(
            &sql,
            [token.clone().into(), lease.into(), claim.incarnation.into(), slots.into(), limit.into(), task_id.into()],
        )
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let articles: Vec<i64> = rows.iter().map(|row| row.article_id).collect();
    let subjects: HashMap<_, _> =
        subject::of_articles(transaction, &articles, claim.model_id).await?.into_iter().collect();
    rows.into_iter().map(|row| claimed(row, &token, &subjects)).collect()
}

fn claimed(row: Row, token: &str, subjects: &HashMap<i64, Subject>) -> Result<ClaimedTask, StoreError> {
    let unexpected = |error: crate::task::UnknownName| StoreError::Unexpected(error.to_string());
    Ok(ClaimedTask {
        lease: Lease { task_id: row.id, token: token.to_owned() },
        article_id: row.article_id,
        slug: row.slug,
        operation: row.operation.parse().map_err(unexpected)?,
        priority: row.priority.parse().map_err(unexpected)?,
        revision: row.revision,
        attempt: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        max_attempts: u32::try_from(row.max_attempts).unwrap_or(u32::MAX),
        slot: Slot::try_from(row.slot).unwrap_or_default(),
        waited: Duration::from_millis(u64::try_from(row.waited).unwrap_or_default()),
        trace_id: row.trace_id,
        subject: subjects.get(&row.article_id).copied().unwrap_or(Subject::Gone),
    })
}
