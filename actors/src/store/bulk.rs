//! Bulk runs: found in pages, each queued in one transaction with the run's position, so that a crash loses nothing.
//!
//! A run works for the set that searches use, behind what is saved meanwhile: its tasks have low priority, and few of
//! them wait at a time, because tasks that have waited long overtake new ones.

use afterword_entities::bulk_operation;
use serde::{Deserialize, Serialize};

use super::{
    StoreError,
    backlog::{self, Backlog},
    events, locks, models,
    sql::{self, FromRow, Sql},
};
use crate::task::Priority;

/// Most articles queued in one transaction; few, because saves wait for it.
const MAX_ARTICLES_QUEUED: u32 = 100;
/// Most failures that a summary lists one by one; their total is exact.
const MAX_FAILURES_LISTED: u32 = 100;

/// The progress of a run. *Units:* articles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, FromRow)]
pub struct Progress {
    /// Articles queued so far.
    pub queued: i64,
    /// Pending or processing.
    pub open: i64,
    /// Embedded.
    pub succeeded: i64,
    /// Given up.
    pub failed: i64,
    /// Cancelled, or overtaken by a newer task of the same article.
    pub cancelled: i64,
}

/// The result of a run. *Units:* articles, except the duration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Embedded.
    pub succeeded: i64,
    /// Given up.
    pub failed: i64,
    /// Excluded from embedding.
    pub skipped: i64,
    /// Cancelled, or overtaken by a newer task of the same article.
    pub cancelled: i64,
    /// From its opening to its end. *Units:* milliseconds.
    pub duration_ms: i64,
    /// The first failures with their reasons.
    pub failures: Vec<FailedItem>,
}

/// An article that a run could not embed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct FailedItem {
    /// The article.
    pub slug: String,
    /// The task, for `queue show`.
    pub task_id: i64,
    /// The sort of error.
    pub error_kind: Option<String>,
    /// The error, for people.
    pub error_message: Option<String>,
}

/// What became of a page of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// It was queued; there may be more.
    Queued,
    /// More waiting tasks would delay saves: try again later.
    Later,
    /// The whole run has been queued, or it has ended.
    NoMore,
}

/// Opens a run over `articles` articles; [`advance`] queues them page by page.
///
/// # Errors
/// [`StoreError`]
pub async fn open(transaction: &impl Sql, scope: Backlog, folder: &str, articles: i64) -> Result<i64, StoreError> {
    let id = transaction
        .one::<i64>(
            "INSERT INTO bulk_operations (scope, folder, state, requested_at) VALUES ($1, $2, 'queuing', {now})
             RETURNING id AS n",
            [scope.as_str().into(), folder.into()],
        )
        .await?;
    transaction
        .run("INSERT INTO bulk_totals (bulk_id, articles) VALUES ($1, $2)", [id.into(), articles.into()])
        .await?;
    events::record_act(transaction, "bulk started", &format!("bulk {id}: {} articles", scope.as_str())).await?;
    Ok(id)
}

/// Queues the next page of a run, as long as fewer than `ahead` tasks of low priority wait.
///
/// # Errors
/// [`StoreError`]
pub async fn advance(
    transaction: &impl Sql,
    run: &bulk_operation::Model,
    max_attempts: u32,
    ahead: u32,
) -> Result<Page, StoreError> {
    // Read again inside the transaction: another host may have advanced it, or a person may have cancelled it.
    let Some(run) = lock(transaction, run.id).await? else { return Ok(Page::NoMore) };
    if run.state != "queuing" {
        return Ok(Page::NoMore);
    }
    // Before the first set nothing has been embedded: number 0 stands for that.
    let model_id = models::wanted(transaction).await?.active.map_or(0, |set| set.id);
    let room = ahead.saturating_sub(backlog::low_waiting(transaction, model_id, ahead).await?);
    if room == 0 {
        return Ok(Page::Later);
    }
    let scope = parse_scope(&run.scope)?;
    let request =
        backlog::PageRequest { scope, folder: &run.folder, after: run.cursor, limit: room.min(MAX_ARTICLES_QUEUED) };
    let articles = backlog::page(transaction, model_id, &request).await?;
    let Some(&last) = articles.last() else {
        set_state(transaction, run.id, "running").await?;
        return Ok(Page::NoMore);
    };
    let order = backlog::Order { model_id, priority: Priority::Low, max_attempts, cause: "bulk" };
    let queued = backlog::enqueue_all(transaction, &articles, &order).await?;
    let items: Vec<_> = queued.iter().map(|item| (item.article_id, item.task_id, item.adopted)).collect();
    transaction
        .run(
            "INSERT INTO bulk_items (bulk_id, article_id, task_id, adopted)
             SELECT $1, article_id, task_id, adopted
             FROM {rows $2: article_id BIGINT, task_id BIGINT, adopted BOOLEAN} j WHERE TRUE
             ON CONFLICT DO NOTHING",
            [run.id.into(), sql::json(&items)?],
        )
        .await?;
    transaction.run("UPDATE bulk_operations SET cursor = $2 WHERE id = $1", [run.id.into(), last.into()]).await?;
    Ok(Page::Queued)
}

/// Closes a run that has no open tasks left. Returns its summary if it did.
///
/// # Errors
/// [`StoreError`]
pub async fn close_if_done(transaction: &impl Sql, id: i64) -> Result<Option<Summary>, StoreError> {
    let Some(run) = lock(transaction, id).await? else { return Ok(None) };
    let now = super::sql::now(transaction).await?;
    let progress = progress(transaction, id).await?;
    if run.state != "running" || progress.open > 0 {
        return Ok(None);
    }
    let summary = summarise(transaction, &run, progress, now).await?;
    finish(transaction, id, "completed", &summary).await?;
    Ok(Some(summary))
}

/// Cancels a run and those of its waiting tasks that it alone queued. Tasks that waited before, that a save has joined
/// since, or that belong to another open run too, are kept. Returns whether it was open.
///
/// # Errors
/// [`StoreError`]
pub async fn cancel(transaction: &impl Sql, id: i64) -> Result<bool, StoreError> {
    let Some(run) = lock(transaction, id).await? else { return Ok(false) };
    if !matches!(run.state.as_str(), "queuing" | "running") {
        return Ok(false);
    }
    take_back(transaction, id).await?;
    let now = super::sql::now(transaction).await?;
    let progress = progress(transaction, id).await?;
    let summary = summarise(transaction, &run, progress, now).await?;
    finish(transaction, id, "cancelled", &summary).await?;
    Ok(true)
}

/// Locks the articles before it checks which tasks a save has joined: a save that comes at this moment is either
/// before, and keeps its task, or after, and queues another. A task in `processing` may be waiting again by then.
async fn take_back(transaction: &impl Sql, id: i64) -> Result<(), StoreError> {
    let articles: Vec<i64> = transaction
        .rows(
            "SELECT i.article_id AS n FROM bulk_items i CROSS JOIN embedding_tasks t
             WHERE i.bulk_id = $1 AND NOT i.adopted AND t.id = i.task_id AND t.status IN ('pending', 'processing')",
            [id.into()],
        )
        .await?;
    locks::hold_articles(transaction, &articles).await?;
    transaction
        .run(
            "UPDATE embedding_tasks SET status = 'cancelled', cause = 'bulk cancelled', updated_at = {now},
                 completed_at = {now}
             WHERE id IN (
                 SELECT t.id FROM bulk_items i CROSS JOIN embedding_tasks t
                 WHERE i.bulk_id = $1 AND NOT i.adopted AND t.id = i.task_id AND t.status = 'pending'
                   AND NOT EXISTS (
                       SELECT 1 FROM bulk_operations b JOIN bulk_items o ON o.bulk_id = b.id
                       WHERE b.state IN ('queuing', 'running') AND b.id <> $1
                         AND o.article_id = i.article_id AND o.task_id = i.task_id) {lock t})",
            [id.into()],
        )
        .await
        .map(drop)
}

/// Returns the number of articles of a run, as counted when it was opened; `None` for a run of an earlier version.
///
/// # Errors
/// [`StoreError`]
pub async fn total(connection: &impl Sql, id: i64) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT articles AS n FROM bulk_totals WHERE bulk_id = $1";
    connection.row(sql, [id.into()]).await
}

/// Returns the present progress of a run.
///
/// # Errors
/// [`StoreError`]
pub async fn progress(connection: &impl Sql, id: i64) -> Result<Progress, StoreError> {
    let row = connection
        .row::<Progress>(
            "SELECT count(*) AS queued,
                    count(*) FILTER (WHERE t.status IN ('pending', 'processing')) AS open,
                    count(*) FILTER (WHERE t.status = 'completed') AS succeeded,
                    count(*) FILTER (WHERE t.status = 'failed') AS failed,
                    count(*) FILTER (WHERE t.status IS NULL OR t.status = 'cancelled') AS cancelled
             FROM bulk_items i LEFT JOIN embedding_tasks t ON t.id = i.task_id WHERE i.bulk_id = $1",
            [id.into()],
        )
        .await?;
    Ok(row.unwrap_or_default())
}

/// Returns the failures of a run, with reasons.
///
/// # Errors
/// [`StoreError`]
pub async fn failures(connection: &impl Sql, id: i64, limit: u32) -> Result<Vec<FailedItem>, StoreError> {
    connection
        .rows(
            "SELECT t.slug, t.id AS task_id, t.error_kind, t.error_message
             FROM bulk_items i JOIN embedding_tasks t ON t.id = i.task_id
             WHERE i.bulk_id = $1 AND t.status = 'failed' ORDER BY t.id LIMIT $2",
            [id.into(), i64::from(limit).into()],
        )
        .await
}

/// Finds one run.
///
/// # Errors
/// [`StoreError`]
pub async fn find(connection: &impl Sql, id: i64) -> Result<Option<bulk_operation::Model>, StoreError> {
    connection.row("SELECT * FROM bulk_operations WHERE id = $1", [id.into()]).await
}

/// Finds one run and locks it until the commit: two hosts that advance it take turns.
async fn lock(transaction: &impl Sql, id: i64) -> Result<Option<bulk_operation::Model>, StoreError> {
    transaction.row("SELECT o.* FROM bulk_operations o WHERE o.id = $1 {lock o}", [id.into()]).await
}

/// Returns runs, the newest first.
///
/// # Errors
/// [`StoreError`]
pub async fn list(connection: &impl Sql, limit: u32) -> Result<Vec<bulk_operation::Model>, StoreError> {
    connection.rows("SELECT * FROM bulk_operations ORDER BY id DESC LIMIT $1", [i64::from(limit).into()]).await
}

/// Counts all runs.
///
/// # Errors
/// [`StoreError`]
pub async fn count(connection: &impl Sql) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) AS n FROM bulk_operations";
    Ok(connection.row(sql, []).await?.unwrap_or(0))
}

/// Returns the runs that are not closed, the oldest first.
///
/// # Errors
/// [`StoreError`]
pub async fn unfinished(connection: &impl Sql) -> Result<Vec<bulk_operation::Model>, StoreError> {
    connection.rows("SELECT * FROM bulk_operations WHERE state IN ('queuing', 'running') ORDER BY id", []).await
}

async fn summarise(
    connection: &impl Sql,
    run: &bulk_operation::Model,
    progress: Progress,
    now: i64,
) -> Result<Summary, StoreError> {
    let scope = parse_scope(&run.scope)?;
    let (_, skipped) = backlog::count(connection, 0, scope, &run.folder).await?;
    Ok(Summary {
        succeeded: progress.succeeded,
        failed: progress.failed,
        skipped,
        cancelled: progress.cancelled,
        duration_ms: now - run.requested_at,
        failures: failures(connection, run.id, MAX_FAILURES_LISTED).await?,
    })
}

async fn finish(transaction: &impl Sql, id: i64, state: &str, summary: &Summary) -> Result<(), StoreError> {
    transaction
        .run(
            "UPDATE bulk_operations SET state = $2, finished_at = {now}, summary = $3 WHERE id = $1",
            [id.into(), state.into(), sql::json(summary)?],
        )
        .await?;
    events::record_act(transaction, &format!("bulk {state}"), &format!("bulk {id}")).await
}

async fn set_state(transaction: &impl Sql, id: i64, state: &str) -> Result<(), StoreError> {
    transaction.run("UPDATE bulk_operations SET state = $2 WHERE id = $1", [id.into(), state.into()]).await.map(drop)
}

fn parse_scope(name: &str) -> Result<Backlog, StoreError> {
    Backlog::ALL
        .into_iter()
        .find(|scope| scope.as_str() == name)
        .ok_or_else(|| StoreError::Unexpected(format!("bulk scope \"{name}\"")))
}
