//! Which articles need embedding, judged from what is stored and not from the history of tasks.

use super::{
    StoreError,
    folder::within,
    locks, models,
    sql::{self, FromRow, Sql},
};
use crate::task::Priority;

/// Which articles to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// Missing, stale or failed: everything that needs embedding.
    Needed,
    /// Without vectors of this model.
    Missing,
    /// The newest task of this model failed, and the content is not embedded.
    Failed,
    /// With vectors of an older content.
    Stale,
    /// Every article.
    All,
}

impl Backlog {
    /// Every value, in order.
    pub const ALL: [Self; 5] = [Self::Needed, Self::Missing, Self::Failed, Self::Stale, Self::All];

    /// The name used in the database and in every answer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Needed => "needed",
            Self::Missing => "missing",
            Self::Failed => "failed",
            Self::Stale => "stale",
            Self::All => "all",
        }
    }

    /// The condition in SQL: `a` is the article, `e` its stored set of the model.
    const fn condition(self) -> &'static str {
        match self {
            Self::Needed => "e.content_hash IS DISTINCT FROM a.content_hash",
            Self::Missing => "e.content_hash IS NULL",
            Self::Failed => {
                "e.content_hash IS DISTINCT FROM a.content_hash AND 'failed' = (
                     SELECT t.status FROM embedding_tasks t
                     WHERE t.article_id = a.id AND (t.model_id IS NULL OR t.model_id = $1) ORDER BY t.id DESC LIMIT 1)"
            }
            Self::Stale => "e.content_hash <> a.content_hash",
            Self::All => "TRUE",
        }
    }
}

/// Not in `processing`, not waiting (for the set in use, what waits for another set does not count), and not given up
/// by this model (`$1`) at the present revision. If a person has cancelled a single task, even one queued before it was
/// given a model, the article waits for its next save; that is so only for the set in use, because a build can be
/// cancelled as a whole.
const UNATTENDED: &str = "
    NOT EXISTS (SELECT 1 FROM embedding_tasks t WHERE t.article_id = a.id AND t.status = 'pending'
                    AND (t.model_id IS NULL OR t.model_id = $1
                         OR t.model_id = (SELECT id FROM embedding_models WHERE state = 'active')))
    AND NOT EXISTS (SELECT 1 FROM embedding_tasks t WHERE t.article_id = a.id AND t.status = 'processing')
    AND NOT EXISTS (
        SELECT 1 FROM (SELECT status, cause, revision FROM embedding_tasks t
                       WHERE t.article_id = a.id
                         AND (t.model_id = $1 OR (t.model_id IS NULL AND t.status = 'cancelled'))
                       ORDER BY t.id DESC LIMIT 1) n
        WHERE n.revision >= a.revision
          AND (n.status = 'failed'
               OR (n.cause = 'cancelled'
                   AND EXISTS (SELECT 1 FROM embedding_models m WHERE m.id = $1 AND m.state = 'active'))))";

/// Returns up to `limit` articles with ids above `after` that need embedding by `model_id` and have no task for it:
/// lost by the queue, or not yet embedded by a new model.
///
/// # Errors
/// [`StoreError`]
pub async fn unattended(connection: &impl Sql, model_id: i64, after: i64, limit: u32) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "SELECT a.id FROM articles a
         LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = $1
         WHERE a.id > $2 AND NOT a.skip_embedding AND e.content_hash IS DISTINCT FROM a.content_hash AND {UNATTENDED}
         ORDER BY a.id LIMIT $3"
    );
    connection.rows(&sql, [model_id.into(), after.into(), i64::from(limit).into()]).await
}

/// Counts the pending tasks of low priority for `model_id`, up to `most`.
///
/// # Errors
/// [`StoreError`]
pub async fn low_waiting(connection: &impl Sql, model_id: i64, most: u32) -> Result<u32, StoreError> {
    let row = connection
        .row::<i64>(
            "SELECT count(*) AS n FROM (
                 SELECT 1 FROM embedding_tasks
                 WHERE status = 'pending' AND priority = 'low' AND id > 0
                   AND (model_id IS NULL OR model_id = $1) LIMIT $2 + 0) waiting",
            [model_id.into(), i64::from(most).into()],
        )
        .await?;
    Ok(row.and_then(|n| u32::try_from(n).ok()).unwrap_or_default())
}

/// Counts the tasks that wait for vectors of `model_id`.
///
/// # Errors
/// [`StoreError`]
pub async fn waiting(connection: &impl Sql, model_id: i64) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'pending' AND model_id = $1";
    Ok(connection.row::<i64>(sql, [model_id.into()]).await?.unwrap_or(0))
}

/// Whether a task for vectors of `model_id` is pending or processing.
///
/// # Errors
/// [`StoreError`]
pub async fn any_open(connection: &impl Sql, model_id: i64) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS n
               WHERE EXISTS (SELECT 1 FROM embedding_tasks t WHERE t.status = 'pending' AND t.model_id = $1)
                  OR EXISTS (SELECT 1 FROM embedding_tasks t WHERE t.status = 'processing' AND t.model_id = $1)";
    Ok(connection.row::<()>(sql, [model_id.into()]).await?.is_some())
}

/// Whether a task for the set in use is pending or processing.
///
/// # Errors
/// [`StoreError`]
pub async fn any_open_for_the_set_in_use(connection: &impl Sql) -> Result<bool, StoreError> {
    const OF_THE_SET: &str = "SELECT 1 FROM embedding_tasks t
        WHERE (t.model_id IS NULL OR t.model_id NOT IN (SELECT id FROM embedding_models WHERE state = 'building'))";
    let sql = format!(
        "SELECT 1 AS n WHERE EXISTS ({OF_THE_SET} AND t.status = 'pending')
                          OR EXISTS ({OF_THE_SET} AND t.status = 'processing')"
    );
    Ok(connection.row::<()>(&sql, []).await?.is_some())
}

/// Queues what the set `model_id` needs of `articles`, after their tasks for another set have ended: two sets are kept
/// up to date, one after the other, by the one waiting task that an article may have.
///
/// # Errors
/// [`StoreError`]
pub async fn queue_next(
    transaction: &impl Sql,
    articles: &[i64],
    model_id: i64,
    max_attempts: u32,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT a.id FROM {{ids $2}} j JOIN articles a ON a.id = j.id
         LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = $1
         WHERE NOT a.skip_embedding AND e.content_hash IS DISTINCT FROM a.content_hash AND {UNATTENDED}"
    );
    let ids = sql::json(articles)?;
    let needing: Vec<i64> = transaction.rows(&sql, [model_id.into(), ids]).await?;
    if needing.is_empty() {
        return Ok(());
    }
    let order = Order { model_id, priority: Priority::Low, max_attempts, cause: "new model" };
    enqueue_wanted(transaction, &needing, &order).await.map(drop)
}

/// As [`enqueue_all`], unless the set has been retired since the caller looked; then `None`. Tasks of a retired set
/// count for the set in use: they would be claimed for nothing, and wait as long as no host makes that set.
///
/// # Errors
/// [`StoreError`]
pub async fn enqueue_wanted(
    transaction: &impl Sql,
    articles: &[i64],
    order: &Order,
) -> Result<Option<Vec<Queued>>, StoreError> {
    if !models::lock_if_wanted(transaction, order.model_id).await? {
        return Ok(None);
    }
    enqueue_all(transaction, articles, order).await.map(Some)
}

/// A page of the articles in `scope`, in the order of their ids.
#[derive(Debug, Clone)]
pub struct PageRequest<'a> {
    /// Which articles.
    pub scope: Backlog,
    /// Only in this folder and below; all if empty.
    pub folder: &'a str,
    /// Only above this id: the end of the page before.
    pub after: i64,
    /// Most rows.
    pub limit: u32,
}

/// Returns the ids of one page.
///
/// # Errors
/// [`StoreError`]
pub async fn page(connection: &impl Sql, model_id: i64, page: &PageRequest<'_>) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "SELECT a.id FROM articles a
         LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = $1
         WHERE a.id > $3 AND NOT a.skip_embedding AND ({}) AND {}
         ORDER BY a.id LIMIT $4",
        page.scope.condition(),
        within("a.folder", "$2")
    );
    let values = [model_id.into(), page.folder.into(), page.after.into(), i64::from(page.limit).into()];
    connection.rows(&sql, values).await
}

/// Counts the articles in `scope`, and those of the folder that are excluded from embedding.
///
/// # Errors
/// [`StoreError`]
pub async fn count(
    connection: &impl Sql,
    model_id: i64,
    scope: Backlog,
    folder: &str,
) -> Result<(i64, i64), StoreError> {
    let sql = format!(
        "SELECT count(*) FILTER (WHERE NOT a.skip_embedding AND ({})) AS wanted,
                count(*) FILTER (WHERE a.skip_embedding) AS skipped
         FROM articles a LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = $1
         WHERE {}",
        scope.condition(),
        within("a.folder", "$2")
    );
    Ok(connection.row(&sql, [model_id.into(), folder.into()]).await?.unwrap_or_default())
}

/// A task queued for one of many articles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Queued {
    /// `articles.id`
    pub article_id: i64,
    /// `embedding_tasks.id`
    pub task_id: i64,
    /// The task existed already, pending or processing.
    pub adopted: bool,
}

/// The common properties of many tasks.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// The model of their vectors: `embedding_models.id`.
    pub model_id: i64,
    /// How urgent they are.
    pub priority: Priority,
    /// All attempts at each, the first included.
    pub max_attempts: u32,
    /// The reason, for the audit trail.
    pub cause: &'static str,
}

/// Queues a task for each of `articles`, in a few statements. A set that is being built waits for the end of whatever
/// is in `processing`: that end queues what is needed. An article whose present revision is being processed by this
/// model, or that waits already, keeps its task; if that waits for another set than the one in use, and the set in use
/// is asked for, it waits for that one from now on.
///
/// # Errors
/// [`StoreError`]
pub async fn enqueue_all(transaction: &impl Sql, articles: &[i64], order: &Order) -> Result<Vec<Queued>, StoreError> {
    locks::hold_articles(transaction, articles).await?;
    // Otherwise a task that is claimed between the next two statements would be found by neither.
    locks::hold_waiting(transaction, articles).await?;
    let ids = sql::json(articles)?;
    let handicap = sql::millis(order.priority.handicap());
    let mut rows = transaction
        .rows::<Queued>(
            "SELECT t.article_id, t.id AS task_id, TRUE AS adopted
             FROM {ids $1} j JOIN articles a ON a.id = j.id
             JOIN embedding_tasks t ON t.article_id = a.id AND t.status = 'processing' AND t.revision >= a.revision
                  AND (t.model_id IS NULL OR t.model_id = $2)",
            [ids.clone(), order.model_id.into()],
        )
        .await?;
    let queued = transaction
        .rows::<Queued>(
            ENQUEUE_ALL,
            [
                ids,
                order.priority.as_str().into(),
                i64::from(order.max_attempts).into(),
                handicap.into(),
                order.cause.into(),
                order.model_id.into(),
            ],
        )
        .await?;
    rows.extend(queued);
    Ok(rows)
}

const ENQUEUE_ALL: &str = "
    INSERT INTO embedding_tasks AS t
        (article_id, slug, operation, status, priority, revision, attempts, max_attempts,
         created_at, updated_at, scheduled_at, queue_key, cause, model_id)
    SELECT a.id, a.slug, 'update', 'pending', $2, a.revision, 0, $3, {now}, {now}, {now}, {now} + $4, $5, $6
    FROM {ids $1} j JOIN articles a ON a.id = j.id
    WHERE NOT a.skip_embedding AND NOT EXISTS (
        SELECT 1 FROM embedding_tasks p
        WHERE p.article_id = a.id AND p.status = 'processing'
          AND ((p.revision >= a.revision AND (p.model_id IS NULL OR p.model_id = $6))
               OR $6 = (SELECT id FROM embedding_models WHERE state = 'building')))
    ORDER BY a.id
    ON CONFLICT (article_id) WHERE status = 'pending' DO UPDATE SET
        priority = CASE WHEN excluded.queue_key - excluded.scheduled_at < t.queue_key - t.scheduled_at
                        THEN excluded.priority ELSE t.priority END,
        scheduled_at = CASE WHEN excluded.priority = 'high'
                            THEN {least}(t.scheduled_at, excluded.scheduled_at) ELSE t.scheduled_at END,
        queue_key = CASE WHEN excluded.priority = 'high'
                         THEN {least}(t.queue_key, excluded.queue_key) ELSE t.queue_key END,
        revision = {greatest}(t.revision, excluded.revision),
        model_id = CASE WHEN excluded.model_id = (SELECT id FROM embedding_models WHERE state = 'active')
                        THEN excluded.model_id ELSE t.model_id END,
        updated_at = {greatest}(t.updated_at, excluded.updated_at),
        cause = 'coalesced'
    RETURNING article_id, id AS task_id, cause = 'coalesced' AS adopted";
