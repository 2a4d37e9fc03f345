//! Which articles need embedding, judged from what is stored and not from the history of tasks.

use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{StoreError, locks, sql::Sql};
use crate::task::Priority;

/// Which articles to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Missing, stale or failed: all that needs embedding.
    Needed,
    /// No vectors by this model.
    Missing,
    /// The newest task of this model failed, and the content is not embedded.
    Failed,
    /// Vectors of an older content.
    Stale,
    /// Every article.
    All,
}

impl Scope {
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

    /// `a` is the article, `e` what the model stored of it.
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

/// Not in work, not waiting (for the set in use, what waits for another set does not count), and not given up by this
/// model (`$1`) at the present revision. A task that a person has cancelled by itself, also before any host had said for
/// which model, says that the article is to wait for its next save; that holds for the set in use alone, because a set
/// that is being built can be cancelled as a whole.
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

#[derive(FromQueryResult)]
struct Id {
    id: i64,
}

/// Up to `limit` articles with ids above `after` that need embedding by `model_id` and that nothing is going to embed: what
/// the queue lost, or what a new model has not made yet.
///
/// # Errors
/// [`StoreError`]
pub async fn unattended(
    connection: &impl ConnectionTrait,
    model_id: i64,
    after: i64,
    limit: u32,
) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "SELECT a.id FROM articles a
         LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = $1
         WHERE a.id > $2 AND NOT a.skip_embedding AND e.content_hash IS DISTINCT FROM a.content_hash AND {UNATTENDED}
         ORDER BY a.id LIMIT $3"
    );
    let rows = connection.rows::<Id>(&sql, [model_id.into(), after.into(), i64::from(limit).into()]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Tasks of low priority that wait for vectors by `model_id`, counted up to `most`: how much maintenance is ahead.
///
/// # Errors
/// [`StoreError`]
pub async fn low_waiting(connection: &impl ConnectionTrait, model_id: i64, most: u32) -> Result<u32, StoreError> {
    let row = connection
        .row::<super::sql::Number>(
            "SELECT count(*) AS n FROM (
                 SELECT 1 FROM embedding_tasks
                 WHERE status = 'pending' AND priority = 'low' AND id > 0
                   AND (model_id IS NULL OR model_id = $1) LIMIT $2 + 0) waiting",
            [model_id.into(), i64::from(most).into()],
        )
        .await?;
    Ok(row.and_then(|row| u32::try_from(row.n).ok()).unwrap_or_default())
}

/// Tasks that wait for vectors by `model_id`.
///
/// # Errors
/// [`StoreError`]
pub async fn waiting(connection: &impl ConnectionTrait, model_id: i64) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'pending' AND model_id = $1";
    Ok(connection.row::<super::sql::Number>(sql, [model_id.into()]).await?.map_or(0, |row| row.n))
}

/// Whether a task for vectors by `model_id` waits or is in work.
///
/// # Errors
/// [`StoreError`]
pub async fn any_open(connection: &impl ConnectionTrait, model_id: i64) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS n
               WHERE EXISTS (SELECT 1 FROM embedding_tasks t WHERE t.status = 'pending' AND t.model_id = $1)
                  OR EXISTS (SELECT 1 FROM embedding_tasks t WHERE t.status = 'processing' AND t.model_id = $1)";
    Ok(connection.row::<super::sql::Number>(sql, [model_id.into()]).await?.is_some())
}

/// Whether a task for the set in use waits or is in work.
///
/// # Errors
/// [`StoreError`]
pub async fn any_open_for_the_set_in_use(connection: &impl ConnectionTrait) -> Result<bool, StoreError> {
    const OF_THE_SET: &str = "SELECT 1 FROM embedding_tasks t
        WHERE (t.model_id IS NULL OR t.model_id NOT IN (SELECT id FROM embedding_models WHERE state = 'building'))";
    let sql = format!(
        "SELECT 1 AS n WHERE EXISTS ({OF_THE_SET} AND t.status = 'pending')
                          OR EXISTS ({OF_THE_SET} AND t.status = 'processing')"
    );
    Ok(connection.row::<super::sql::Number>(&sql, []).await?.is_some())
}

/// Queues what a set that is being built needs of `articles`, after their tasks for the set in use have ended: both sets
/// are kept up to date, one after the other, by the one waiting task that an article may have.
///
/// # Errors
/// [`StoreError`]
pub async fn queue_next(
    transaction: &impl ConnectionTrait,
    articles: &[i64],
    building: i64,
    max_attempts: u32,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT a.id FROM {{ids $2}} j JOIN articles a ON a.id = j.id
         LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = $1
         WHERE NOT a.skip_embedding AND e.content_hash IS DISTINCT FROM a.content_hash AND {UNATTENDED}"
    );
    let ids = serde_json::to_string(articles).unwrap_or_default();
    let rows = transaction.rows::<Id>(&sql, [building.into(), ids.into()]).await?;
    let needing: Vec<_> = rows.into_iter().map(|row| row.id).collect();
    if needing.is_empty() {
        return Ok(());
    }
    let order = Order { model_id: building, priority: Priority::Low, max_attempts, cause: "new model" };
    enqueue_all(transaction, &needing, &order).await.map(drop)
}

/// A page of the articles in `scope`, in the order of their ids.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// Which articles.
    pub scope: Scope,
    /// Only in this folder and below; all if empty.
    pub folder: &'a str,
    /// Only above this id: where the page before ended.
    pub after: i64,
    /// Most rows.
    pub limit: u32,
}

/// The ids of one page.
///
/// # Errors
/// [`StoreError`]
pub async fn page(connection: &impl ConnectionTrait, model_id: i64, page: &Page<'_>) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "SELECT a.id FROM articles a
         LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = $1
         WHERE a.id > $3 AND NOT a.skip_embedding AND ({}) AND {IN_FOLDER}
         ORDER BY a.id LIMIT $4",
        page.scope.condition()
    );
    let values = [model_id.into(), page.folder.into(), page.after.into(), i64::from(page.limit).into()];
    let rows = connection.rows::<Id>(&sql, values).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// How many articles there are in `scope`, and how many of the folder's are never to be embedded.
///
/// # Errors
/// [`StoreError`]
pub async fn count(
    connection: &impl ConnectionTrait,
    model_id: i64,
    scope: Scope,
    folder: &str,
) -> Result<(i64, i64), StoreError> {
    #[derive(FromQueryResult)]
    struct Counts {
        wanted: i64,
        skipped: i64,
    }
    let sql = format!(
        "SELECT count(*) FILTER (WHERE NOT a.skip_embedding AND ({})) AS wanted,
                count(*) FILTER (WHERE a.skip_embedding) AS skipped
         FROM articles a LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = $1
         WHERE {IN_FOLDER}",
        scope.condition()
    );
    let row = connection.row::<Counts>(&sql, [model_id.into(), folder.into()]).await?;
    Ok(row.map_or((0, 0), |row| (row.wanted, row.skipped)))
}

/// `$2` is a folder, empty for the root.
const IN_FOLDER: &str = "($2 = '' OR a.folder = $2 OR substr(a.folder, 1, length($2) + 1) = $2 || '/')";

/// A task queued for one of many articles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// `articles.id`
    pub article_id: i64,
    /// `embedding_tasks.id`
    pub task_id: i64,
    /// It was waiting already, or is in work.
    pub adopted: bool,
}

/// What many tasks have in common.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Whose vectors they make.
    pub model_id: i64,
    /// How urgent they are.
    pub priority: Priority,
    /// All tries of each, the first included.
    pub max_attempts: u32,
    /// Who asked: goes to the audit trail.
    pub cause: &'static str,
}

/// Queues a task for each of `articles`, in a few statements. A set that is being built waits for the end of whatever is in
/// work: the end queues what is needed then. An article whose present revision is in work by this model,
/// or that waits already, keeps the task it has; one that waits for another set than the one in use waits for that one
/// from now on, if that is what is asked for.
///
/// # Errors
/// [`StoreError`]
pub async fn enqueue_all(
    transaction: &impl ConnectionTrait,
    articles: &[i64],
    order: &Order,
) -> Result<Vec<Queued>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        article_id: i64,
        task_id: i64,
        adopted: bool,
    }
    locks::hold_articles(transaction, articles).await?;
    let ids = serde_json::to_string(articles).unwrap_or_default();
    let handicap = i64::try_from(order.priority.handicap().as_millis()).unwrap_or(i64::MAX);
    let mut rows = transaction
        .rows::<Row>(
            "SELECT t.article_id, t.id AS task_id, TRUE AS adopted
             FROM {ids $1} j JOIN articles a ON a.id = j.id
             JOIN embedding_tasks t ON t.article_id = a.id AND t.status = 'processing' AND t.revision >= a.revision
                  AND (t.model_id IS NULL OR t.model_id = $2)",
            [ids.clone().into(), order.model_id.into()],
        )
        .await?;
    let queued = transaction
        .rows::<Row>(
            ENQUEUE_ALL,
            [
                ids.into(),
                order.priority.as_str().into(),
                i64::from(order.max_attempts).into(),
                handicap.into(),
                order.cause.into(),
                order.model_id.into(),
            ],
        )
        .await?;
    rows.extend(queued);
    Ok(rows
        .into_iter()
        .map(|row| Queued { article_id: row.article_id, task_id: row.task_id, adopted: row.adopted })
        .collect())
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
        updated_at = excluded.updated_at,
        cause = 'coalesced'
    RETURNING article_id, id AS task_id, cause = 'coalesced' AS adopted";
