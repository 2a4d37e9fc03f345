//! Removing what has been kept long enough, in pages, so that no save waits for a clean-up.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use serde::Serialize;

use super::{Database, Engine, StoreError, sql::Sql};

/// Rows removed in one transaction.
const PAGE: i64 = 500;
/// How long a create may be repeated with its idempotency key.
const KEPT_IDEMPOTENCY_KEYS: Duration = Duration::from_secs(7 * 24 * 3600);

/// Longer than any limit looks back.
const KEPT_PROVIDER_CALLS: Duration = Duration::from_secs(600);

/// How long things are kept; zero means for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Finished tasks. The newest task of an article stays while it says that the article failed.
    pub tasks: Duration,
    /// The audit trail.
    pub events: Duration,
    /// Minute rows.
    pub metrics: Duration,
    /// The last revisions of deleted articles.
    pub deleted_articles: Duration,
    /// Rows of hosts that have ended.
    pub hosts: Duration,
}

/// What a clean-up removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Removed {
    /// Finished tasks.
    pub tasks: u64,
    /// Entries of the audit trail.
    pub events: u64,
    /// Minute rows.
    pub metrics: u64,
    /// Revisions of deleted articles.
    pub deleted_articles: u64,
    /// Rows of hosts.
    pub hosts: u64,
    /// Vector sets of retired models.
    pub retired_vectors: u64,
}

/// Removes all that `retention` allows.
///
/// # Errors
/// [`StoreError`]; what was removed before stays removed.
pub async fn clean(database: &Database, retention: &Retention) -> Result<Removed, StoreError> {
    let removed = Removed {
        tasks: page_by_page(database, FINISHED_TASKS, Some(retention.tasks)).await?,
        events: page_by_page(database, EVENTS, Some(retention.events)).await?,
        metrics: page_by_page(database, METRICS, Some(retention.metrics)).await?,
        deleted_articles: page_by_page(database, DELETED_ARTICLES, Some(retention.deleted_articles)).await?,
        hosts: page_by_page(database, HOSTS, Some(retention.hosts)).await?,
        retired_vectors: page_by_page(database, RETIRED_VECTORS, None).await?,
    };
    page_by_page(database, IDEMPOTENCY_KEYS, Some(KEPT_IDEMPOTENCY_KEYS)).await?;
    page_by_page(database, PROVIDER_CALLS, Some(KEPT_PROVIDER_CALLS)).await?;
    if database.engine() == Engine::Sqlite {
        page_by_page(database, VECTOR_CHANGES, None).await?;
    }
    Ok(removed)
}

const FINISHED_TASKS: &str = "
    DELETE FROM embedding_tasks WHERE id IN (
        SELECT t.id FROM embedding_tasks t
        WHERE t.completed_at IS NOT NULL AND t.completed_at < {now} - $1
          AND NOT (t.status = 'failed'
                   AND EXISTS (SELECT 1 FROM articles a WHERE a.id = t.article_id)
                   AND NOT EXISTS (SELECT 1 FROM embedding_tasks n WHERE n.article_id = t.article_id AND n.id > t.id))
          AND NOT EXISTS (SELECT 1 FROM bulk_items i JOIN bulk_operations b ON b.id = i.bulk_id
                          WHERE i.task_id = t.id AND b.state IN ('queuing', 'running'))
        ORDER BY t.completed_at LIMIT $2)";
const EVENTS: &str = "
    DELETE FROM embedding_task_events WHERE id IN (
        SELECT id FROM embedding_task_events WHERE at < {now} - $1 ORDER BY at LIMIT $2)";
const METRICS: &str = "
    DELETE FROM embedding_metrics WHERE (minute, incarnation, slot) IN (
        SELECT minute, incarnation, slot FROM embedding_metrics WHERE minute < {now} - $1 LIMIT $2)";
const DELETED_ARTICLES: &str = "
    DELETE FROM article_versions WHERE (article_id, revision) IN (
        SELECT v.article_id, v.revision FROM article_versions d JOIN article_versions v ON v.article_id = d.article_id
        WHERE d.deleted AND d.superseded_at < {now} - $1
          AND NOT EXISTS (SELECT 1 FROM articles a WHERE a.id = d.article_id)
        LIMIT $2)";
const HOSTS: &str = "
    DELETE FROM embedding_hosts WHERE incarnation IN (
        SELECT incarnation FROM embedding_hosts
        WHERE state IN ('stopped', 'lost') AND heartbeat_at < {now} - $1 LIMIT $2)";
const IDEMPOTENCY_KEYS: &str = "
    DELETE FROM idempotency_keys WHERE key IN (
        SELECT key FROM idempotency_keys WHERE created_at < {now} - $1 LIMIT $2)";
const PROVIDER_CALLS: &str = "
    DELETE FROM provider_calls WHERE id IN (SELECT id FROM provider_calls WHERE at < {now} - $1 LIMIT $2)";
const RETIRED_VECTORS: &str = "
    DELETE FROM article_embeddings WHERE (article_id, model_id) IN (
        SELECT e.article_id, e.model_id FROM embedding_models m JOIN article_embeddings e ON e.model_id = m.id
        WHERE m.state = 'retired' AND $1 = 0 LIMIT $2)";
/// Only a file has this log; the last 100,000 changes stay for indexes in memory that catch up; one further behind loads everything again.
const VECTOR_CHANGES: &str = "
    DELETE FROM vector_changes WHERE seq IN (
        SELECT seq FROM vector_changes
        WHERE seq <= (SELECT max(seq) FROM vector_changes) - 100000 AND $1 = 0 LIMIT $2)";

/// Runs `sql` until it removes less than a page. `$1` is the age in milliseconds, `$2` the page.
async fn page_by_page(database: &Database, sql: &'static str, age: Option<Duration>) -> Result<u64, StoreError> {
    if age == Some(Duration::ZERO) {
        return Ok(0);
    }
    let age = i64::try_from(age.unwrap_or_default().as_millis()).unwrap_or(i64::MAX >> 1);
    let mut removed = 0;
    loop {
        let page = database
            .write_behind::<_, StoreError, _>(move |transaction| {
                Box::pin(async move { transaction.run(sql, [age.into(), PAGE.into()]).await })
            })
            .await?;
        removed += page;
        if page < PAGE.unsigned_abs() {
            return Ok(removed);
        }
    }
}

/// Removes finished tasks older than `age` now, whatever the settings say. Answers how many.
///
/// # Errors
/// [`StoreError`]
pub async fn clean_tasks(database: &Database, age: Duration) -> Result<u64, StoreError> {
    let removed = page_by_page(database, FINISHED_TASKS, Some(age.max(Duration::from_millis(1)))).await?;
    database
        .write_behind::<_, StoreError, _>(move |transaction| {
            Box::pin(async move { record(transaction, removed).await })
        })
        .await?;
    Ok(removed)
}

async fn record(transaction: &impl ConnectionTrait, removed: u64) -> Result<(), StoreError> {
    super::events::record_act(transaction, "queue cleaned", &format!("{removed} finished tasks removed")).await
}
