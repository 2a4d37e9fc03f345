//! Exact numbers about the queue, at a cost that does not grow with its history.

use serde::Serialize;

use super::{
    StoreError,
    sql::{FromRow, Sql},
};

/// The state of the queue at one moment; all numbers from one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, FromRow)]
pub struct QueueStats {
    /// Waiting, delayed ones included.
    pub pending: i64,
    /// Claimed, under lease.
    pub processing: i64,
    /// Done and not yet removed by retention.
    pub completed: i64,
    /// Given up and not yet removed by retention.
    pub failed: i64,
    /// Cancelled and not yet removed by retention.
    pub cancelled: i64,
    /// Waiting for the time of their next attempt; part of `pending`.
    pub delayed: i64,
    /// How long ago the longest-waiting due task became due; `None` if no task is due. *Units:* milliseconds.
    pub oldest_due_ms: Option<i64>,
    /// Whether claiming is paused.
    pub paused: bool,
}

impl QueueStats {
    /// The number of all tasks.
    pub fn total(&self) -> i64 {
        self.pending + self.processing + self.completed + self.failed + self.cancelled
    }
}

/// Counts the queue now.
///
/// # Errors
/// [`StoreError`]
pub async fn queue(connection: &impl Sql) -> Result<QueueStats, StoreError> {
    connection
        .one(
            "SELECT
                (SELECT tasks FROM embedding_task_counts WHERE status = 'pending') AS pending,
                (SELECT tasks FROM embedding_task_counts WHERE status = 'processing') AS processing,
                (SELECT tasks FROM embedding_task_counts WHERE status = 'completed') AS completed,
                (SELECT tasks FROM embedding_task_counts WHERE status = 'failed') AS failed,
                (SELECT tasks FROM embedding_task_counts WHERE status = 'cancelled') AS cancelled,
                (SELECT count(*) FROM embedding_tasks
                 WHERE status = 'pending' AND scheduled_at >= 0 AND scheduled_at > {now}) AS delayed,
                (SELECT {now} - scheduled_at FROM embedding_tasks
                 WHERE status = 'pending' AND scheduled_at >= 0 AND scheduled_at <= {now}
                 ORDER BY scheduled_at LIMIT 1) AS oldest_due_ms,
                EXISTS (SELECT 1 FROM queue_control WHERE key = 'paused') AS paused",
            [],
        )
        .await
}

/// Most changes of counts that are added up in one transaction.
const MAX_CHANGES_FOLDED: i64 = 10_000;

/// Adds PostgreSQL's recorded changes to its totals, so that [`queue`] has few to add up. Any host may do it; the
/// numbers do not change.
///
/// # Errors
/// [`StoreError`]
pub async fn fold(transaction: &impl Sql) -> Result<(), StoreError> {
    transaction
        .run(
            "WITH gone AS (
                 DELETE FROM embedding_task_deltas WHERE ctid = ANY (ARRAY(
                     SELECT ctid FROM embedding_task_deltas LIMIT $1 FOR UPDATE SKIP LOCKED))
                 RETURNING status, tasks
             ), change AS (
                 SELECT status, sum(tasks) AS tasks FROM gone GROUP BY status
             ), held AS (
                 SELECT t.status FROM embedding_task_totals t JOIN change c ON c.status = t.status
                 ORDER BY t.status FOR UPDATE OF t
             )
             UPDATE embedding_task_totals t SET tasks = t.tasks + change.tasks
             FROM change JOIN held ON held.status = change.status WHERE t.status = change.status",
            [MAX_CHANGES_FOLDED.into()],
        )
        .await
        .map(drop)
}

/// How much of the collection is embedded by one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, FromRow)]
pub struct Coverage {
    /// All articles.
    pub articles: i64,
    /// Excluded from embedding.
    pub skipped: i64,
    /// With vectors of their present content.
    pub embedded: i64,
    /// With vectors of an older content.
    pub stale: i64,
    /// Without vectors.
    pub missing: i64,
}

impl Coverage {
    /// The columns of a [`Coverage`], counted in [`Coverage::TABLES`].
    pub const COLUMNS: &str = "count(*) AS articles,
        count(*) FILTER (WHERE a.skip_embedding) AS skipped,
        count(*) FILTER (WHERE NOT a.skip_embedding AND e.content_hash = a.content_hash) AS embedded,
        count(*) FILTER (WHERE NOT a.skip_embedding AND e.content_hash <> a.content_hash) AS stale,
        count(*) FILTER (WHERE NOT a.skip_embedding AND e.content_hash IS NULL) AS missing";
    /// Articles `a`, each with its embedding `e` by the model `$1`, if it has one.
    pub const TABLES: &str = "articles a LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = $1";
}

/// Counts the coverage of `model_id`, judged from what is stored.
///
/// # Errors
/// [`StoreError`]
pub async fn coverage(connection: &impl Sql, model_id: i64) -> Result<Coverage, StoreError> {
    let sql = format!("SELECT {} FROM {}", Coverage::COLUMNS, Coverage::TABLES);
    connection.one(&sql, [model_id.into()]).await
}
