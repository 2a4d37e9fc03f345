//! What is removed: how it is found, and how it is removed.
//!
//! Each look reads as many rows as its page has, and begins where the one before ended. Its parameters are `$1` the age
//! in milliseconds, `$2` the page, then the place. A removal gets the page's keys as `$1`.

use std::borrow::Cow;

/// One kind of records.
pub(super) struct RecordKind {
    /// Returns `at`, `id`, `name` and `doomed`.
    pub(super) look: Cow<'static, str>,
    pub(super) remove: &'static str,
    pub(super) start: ScanStart,
    /// What is locked before the removal: its statement then sees everything that was committed before.
    pub(super) lock: RemovalLock,
}

/// What a removal locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RemovalLock {
    Nothing,
    /// The numbers of the deleted articles `at`: none is restored meanwhile.
    DeletedArticles,
    /// The model `at`: it is not wanted again meanwhile.
    Model,
}

/// Where a look begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanStart {
    /// At the front: everything that is found is removed.
    Front,
    /// Behind the number `$3`, up to a page of which nothing is to be removed.
    Id,
    /// Behind the time `$3`, and the number `$4` within that time.
    AtAndId,
}

/// An article's newest task is kept while it says that the article failed, and a task of a bulk run while that runs.
pub(super) const FINISHED_TASKS: RecordKind = RecordKind {
    look: Cow::Borrowed(
        "SELECT t.completed_at AS at, t.id, CAST(NULL AS TEXT) AS name,
                NOT (t.status = 'failed'
                     AND EXISTS (SELECT 1 FROM articles a WHERE a.id = t.article_id)
                     AND NOT EXISTS (SELECT 1 FROM embedding_tasks n WHERE n.article_id = t.article_id AND n.id > t.id))
                AND NOT EXISTS (SELECT 1 FROM bulk_items i JOIN bulk_operations b ON b.id = i.bulk_id
                                WHERE i.task_id = t.id AND b.state IN ('queuing', 'running')) AS doomed
         FROM embedding_tasks t
         WHERE t.completed_at IS NOT NULL AND (t.completed_at, t.id) > ($3, $4) AND t.completed_at < {now} - $1
         ORDER BY t.completed_at, t.id LIMIT $2",
    ),
    // A task that was put back meanwhile is not finished any more.
    remove: "DELETE FROM embedding_tasks
             WHERE id IN (SELECT id FROM {rows $1: at BIGINT, id BIGINT, name TEXT} j) AND completed_at IS NOT NULL",
    start: ScanStart::AtAndId,
    lock: RemovalLock::Nothing,
};

/// Entries are numbered in the order of their times, so the oldest are at the front; but for some of a time at which
/// the clock was wrong.
pub(super) const EVENTS: RecordKind = RecordKind {
    look: Cow::Borrowed(
        "SELECT o.at, o.id, CAST(NULL AS TEXT) AS name, o.at < {now} - $1 AS doomed
         FROM (SELECT id, at FROM embedding_task_events WHERE id > $3 ORDER BY id LIMIT $2) o ORDER BY o.id",
    ),
    remove: "DELETE FROM embedding_task_events
             WHERE id IN (SELECT id FROM {rows $1: at BIGINT, id BIGINT, name TEXT} j)",
    start: ScanStart::Id,
    lock: RemovalLock::Nothing,
};

/// Minute by minute: all workers' rows of a minute go together.
pub(super) const METRICS: RecordKind = RecordKind {
    look: Cow::Borrowed(
        "SELECT o.minute AS at, o.minute AS id, CAST(NULL AS TEXT) AS name, TRUE AS doomed
         FROM (SELECT DISTINCT minute FROM embedding_metrics WHERE minute > $3 ORDER BY minute LIMIT $2) o
         WHERE o.minute < {now} - $1 ORDER BY o.minute",
    ),
    remove: "DELETE FROM embedding_metrics
             WHERE minute IN (SELECT at FROM {rows $1: at BIGINT, id BIGINT, name TEXT} j)",
    start: ScanStart::Id,
    lock: RemovalLock::Nothing,
};

/// Entries of ended runs, the run that ended first before others.
pub(super) const BULK_ITEMS: RecordKind = RecordKind {
    look: Cow::Borrowed(
        "SELECT i.bulk_id AS at, i.article_id AS id, CAST(NULL AS TEXT) AS name, TRUE AS doomed
         FROM bulk_items i
         WHERE i.bulk_id = (SELECT b.id FROM bulk_operations b
                            WHERE b.finished_at IS NOT NULL AND b.finished_at < {now} - $1
                              AND EXISTS (SELECT 1 FROM bulk_items f WHERE f.bulk_id = b.id)
                            ORDER BY b.finished_at LIMIT 1)
         ORDER BY i.article_id LIMIT $2",
    ),
    remove: "DELETE FROM bulk_items WHERE (bulk_id, article_id) IN (
                 SELECT at, id FROM {rows $1: at BIGINT, id BIGINT, name TEXT} j)",
    start: ScanStart::Front,
    lock: RemovalLock::Nothing,
};

/// Ended runs without entries.
pub(super) const BULK_RUNS: RecordKind = RecordKind {
    look: Cow::Borrowed(
        "SELECT b.finished_at AS at, b.id, CAST(NULL AS TEXT) AS name,
                NOT EXISTS (SELECT 1 FROM bulk_items i WHERE i.bulk_id = b.id) AS doomed
         FROM bulk_operations b
         WHERE b.finished_at IS NOT NULL AND (b.finished_at, b.id) > ($3, $4) AND b.finished_at < {now} - $1
         ORDER BY b.finished_at, b.id LIMIT $2",
    ),
    remove: "DELETE FROM bulk_operations
             WHERE id IN (SELECT id FROM {rows $1: at BIGINT, id BIGINT, name TEXT} j) AND finished_at IS NOT NULL",
    start: ScanStart::AtAndId,
    lock: RemovalLock::Nothing,
};

/// The revisions of deleted articles. The one that records the deletion is the last, and is removed last: the others
/// are found by it.
pub(super) const DELETED_ARTICLES: RecordKind = RecordKind {
    look: Cow::Borrowed(
        "SELECT v.article_id AS at, v.revision AS id, CAST(NULL AS TEXT) AS name, TRUE AS doomed
         FROM (SELECT d.article_id, d.superseded_at FROM article_versions d
               WHERE d.deleted AND d.superseded_at < {now} - $1 AND $2 > 0
                 AND NOT EXISTS (SELECT 1 FROM articles a WHERE a.id = d.article_id)
               ORDER BY d.superseded_at, d.article_id LIMIT 50) o
         CROSS JOIN article_versions v WHERE v.article_id = o.article_id
         ORDER BY o.superseded_at, v.article_id, v.revision LIMIT $2",
    ),
    // An article that was restored meanwhile keeps its past.
    remove: "DELETE FROM article_versions WHERE (article_id, revision) IN (
                 SELECT at, id FROM {rows $1: at BIGINT, id BIGINT, name TEXT} j
                 WHERE NOT EXISTS (SELECT 1 FROM articles a WHERE a.id = j.at))",
    start: ScanStart::Front,
    lock: RemovalLock::DeletedArticles,
};

/// Past revisions of existing articles, behind the newest `kept` of each.
pub(super) fn versions(kept: u32) -> RecordKind {
    RecordKind {
        look: Cow::Owned(format!(
            "SELECT v.superseded_at AS at, v.article_id AS id, CAST(v.revision AS TEXT) AS name,
                    EXISTS (SELECT 1 FROM articles a WHERE a.id = v.article_id)
                    AND v.revision <= coalesce(
                        (SELECT n.revision FROM article_versions n WHERE n.article_id = v.article_id
                         ORDER BY n.revision DESC LIMIT 1 OFFSET {kept}), 0) AS doomed
             FROM article_versions v
             WHERE NOT v.deleted AND (v.superseded_at, v.article_id) > ($3, $4) AND v.superseded_at < {{now}} - $1
             ORDER BY v.superseded_at, v.article_id LIMIT $2"
        )),
        remove: "DELETE FROM article_versions WHERE (article_id, revision) IN (
                     SELECT id, CAST(name AS BIGINT) FROM {rows $1: at BIGINT, id BIGINT, name TEXT} j)",
        start: ScanStart::AtAndId,
        lock: RemovalLock::Nothing,
    }
}

/// Hosts that have ended.
pub(super) const HOSTS: RecordKind = RecordKind {
    look: Cow::Borrowed(
        "SELECT heartbeat_at AS at, heartbeat_at AS id, incarnation AS name, TRUE AS doomed FROM embedding_hosts
         WHERE state IN ('stopped', 'lost') AND heartbeat_at < {now} - $1 ORDER BY heartbeat_at LIMIT $2",
    ),
    remove: "DELETE FROM embedding_hosts WHERE incarnation IN (
                 SELECT name FROM {rows $1: at BIGINT, id BIGINT, name TEXT} j)",
    start: ScanStart::Front,
    lock: RemovalLock::Nothing,
};

/// Keys of creates that may not be repeated any more.
pub(super) const IDEMPOTENCY_KEYS: RecordKind = RecordKind {
    look: Cow::Borrowed(
        "SELECT created_at AS at, created_at AS id, key AS name, TRUE AS doomed FROM idempotency_keys
         WHERE created_at < {now} - $1 ORDER BY created_at LIMIT $2",
    ),
    remove: "DELETE FROM idempotency_keys WHERE key IN (
                 SELECT name FROM {rows $1: at BIGINT, id BIGINT, name TEXT} j)",
    start: ScanStart::Front,
    lock: RemovalLock::Nothing,
};

/// Calls that no limit counts any more; numbered in the order of their times.
pub(super) const PROVIDER_CALLS: RecordKind = RecordKind {
    look: Cow::Borrowed(
        "SELECT o.at, o.id, CAST(NULL AS TEXT) AS name, o.at < {now} - $1 AS doomed
         FROM (SELECT id, at FROM provider_calls WHERE id > $3 ORDER BY id LIMIT $2) o ORDER BY o.id",
    ),
    remove: "DELETE FROM provider_calls WHERE id IN (SELECT id FROM {rows $1: at BIGINT, id BIGINT, name TEXT} j)",
    start: ScanStart::Id,
    lock: RemovalLock::Nothing,
};

/// Sets of models that are not used any more; their chunks are removed with them.
pub(super) const RETIRED_VECTORS: RecordKind = RecordKind {
    look: Cow::Borrowed(
        "SELECT e.model_id AS at, e.article_id AS id, CAST(NULL AS TEXT) AS name, TRUE AS doomed
         FROM article_embeddings e
         WHERE e.model_id = (SELECT m.id FROM embedding_models m
                             WHERE m.state = 'retired' AND m.retired_at < {now} - $1
                                           AND EXISTS (SELECT 1 FROM article_embeddings f WHERE f.model_id = m.id)
                                         ORDER BY m.id LIMIT 1)
         ORDER BY e.article_id LIMIT $2",
    ),
    // A model that is wanted again meanwhile keeps what is left.
    remove: "DELETE FROM article_embeddings WHERE (article_id, model_id) IN (
                 SELECT j.id, j.at FROM {rows $1: at BIGINT, id BIGINT, name TEXT} j
                 JOIN embedding_models m ON m.id = j.at AND m.state = 'retired')",
    start: ScanStart::Front,
    lock: RemovalLock::Model,
};

/// Only SQLite has this log. The last 100,000 changes are kept, for indexes in memory that catch up; one that is
/// further behind reads everything again.
pub(super) const VECTOR_CHANGES: RecordKind = RecordKind {
    look: Cow::Borrowed(
        "SELECT seq AS at, seq AS id, CAST(NULL AS TEXT) AS name, TRUE AS doomed FROM vector_changes
         WHERE $1 >= 0 AND seq > $3 AND seq <= (SELECT max(seq) FROM vector_changes) - 100000 ORDER BY seq LIMIT $2",
    ),
    remove: "DELETE FROM vector_changes WHERE seq IN (SELECT id FROM {rows $1: at BIGINT, id BIGINT, name TEXT} j)",
    start: ScanStart::Id,
    lock: RemovalLock::Nothing,
};
