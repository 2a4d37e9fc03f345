//! Taking tasks off the queue: one guarded statement, a fresh token for each claim.

mod postgres;
mod sqlite;

use std::{collections::HashMap, time::Duration};

use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use uuid::Uuid;

use super::{Engine, StoreError, sql::Sql, subject};
use crate::task::{ClaimedTask, Lease, Position, Slot, Subject};

/// Who claims, for what.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The lease token of what it takes: see [`new_token`].
    pub token: &'a str,
    /// This start of this host.
    pub incarnation: &'a str,
    /// The free slots; at most one task for each.
    pub slots: &'a [Slot],
    /// How long the lease holds unless it is renewed.
    pub lease: Duration,
    /// Behind which task to begin, if those before have been taken; nothing for the front. A file has no use for it.
    pub from: Option<Position>,
    /// The model the subjects are looked at for.
    pub model_id: i64,
}

/// A token for one claim. Never the same twice, over hosts and restarts, and in the order of the claims for those who
/// read the table.
pub fn new_token() -> String {
    Uuid::now_v7().simple().to_string()
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    article_id: i64,
    slug: String,
    operation: String,
    priority: String,
    queue_key: i64,
    revision: i64,
    attempts: i32,
    max_attempts: i32,
    slot: i32,
    waited: i64,
    trace_id: Option<String>,
}

/// Claims up to `claim.slots.len()` due tasks, those that have waited longest for their priority first. Nothing while
/// the queue is paused; never an article of which a task is in work.
///
/// # Errors
/// [`StoreError`]
pub async fn claim(transaction: &impl ConnectionTrait, claim: Claim<'_>) -> Result<Vec<ClaimedTask>, StoreError> {
    let (sql, from) = match Engine::of(transaction) {
        // A file's claims begin at the front.
        Engine::Sqlite => (sqlite::DUE, Vec::new()),
        Engine::Postgres => {
            let Position { queue_key, id } = claim.from.unwrap_or(Position::FRONT);
            (postgres::DUE, vec![queue_key.into(), id.into()])
        }
    };
    run(transaction, claim, sql, from).await
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
    let sql = match Engine::of(transaction) {
        Engine::Sqlite => sqlite::ONE,
        Engine::Postgres => postgres::ONE,
    };
    Ok(run(transaction, request, sql, vec![task_id.into()]).await?.pop())
}

/// Runs `sql`: `$1` token, `$2` lease, `$3` incarnation, `$4` slots, `$5` limit, then what it has of its own.
async fn run(
    transaction: &impl ConnectionTrait,
    claim: Claim<'_>,
    sql: &str,
    own: Vec<Value>,
) -> Result<Vec<ClaimedTask>, StoreError> {
    let slots = serde_json::to_string(claim.slots).unwrap_or_default();
    let lease = i64::try_from(claim.lease.as_millis()).unwrap_or(i64::MAX);
    let limit = i64::try_from(claim.slots.len()).unwrap_or(i64::MAX);
    let shared = [claim.token.into(), lease.into(), claim.incarnation.into(), slots.into(), limit.into()];
    let rows = transaction.rows::<Row>(sql, shared.into_iter().chain(own)).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let articles: Vec<i64> = rows.iter().map(|row| row.article_id).collect();
    let subjects: HashMap<_, _> =
        subject::of_articles(transaction, &articles, claim.model_id).await?.into_iter().collect();
    rows.into_iter().map(|row| claimed(row, claim.token, &subjects)).collect()
}

fn claimed(row: Row, token: &str, subjects: &HashMap<i64, Subject>) -> Result<ClaimedTask, StoreError> {
    let unexpected = |error: crate::task::UnknownName| StoreError::Unexpected(error.to_string());
    Ok(ClaimedTask {
        lease: Lease { task_id: row.id, token: token.to_owned() },
        article_id: row.article_id,
        slug: row.slug,
        operation: row.operation.parse().map_err(unexpected)?,
        priority: row.priority.parse().map_err(unexpected)?,
        queue_key: row.queue_key,
        revision: row.revision,
        attempt: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        max_attempts: u32::try_from(row.max_attempts).unwrap_or(u32::MAX),
        slot: Slot::try_from(row.slot).unwrap_or_default(),
        waited: Duration::from_millis(u64::try_from(row.waited).unwrap_or_default()),
        trace_id: row.trace_id,
        subject: subjects.get(&row.article_id).copied().unwrap_or(Subject::Gone),
    })
}
