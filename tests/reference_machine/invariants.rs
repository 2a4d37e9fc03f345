//! The invariants of ARCHITECTURE.md, checked on the rows themselves and not on the machine.

use afterword_actors::store::{
    Database,
    sql::{FromRow, Sql},
};

/// Each part returns a line for each row that breaks the invariant of its name.
const BROKEN: &str = "
    SELECT 'a task asks for a revision that no save made' AS rule, t.id AS row_id
    FROM embedding_tasks t JOIN articles a ON a.id = t.article_id WHERE t.revision > a.revision
    UNION ALL
    SELECT 'more than one task of an article waits, or is in work', min(id)
    FROM embedding_tasks WHERE status IN ('pending', 'processing') GROUP BY article_id, status HAVING count(*) > 1
    UNION ALL
    SELECT 'in work without a lease, or not in work and under one', id FROM embedding_tasks
    WHERE (status = 'processing') <> (lease_token IS NOT NULL AND lease_expires_at IS NOT NULL)
    UNION ALL
    SELECT 'a claim by two hosts', min(id) FROM embedding_tasks
    WHERE lease_token IS NOT NULL GROUP BY lease_token HAVING count(DISTINCT incarnation) > 1
    UNION ALL
    SELECT 'two tasks in one slot of one claim', min(id) FROM embedding_tasks
    WHERE lease_token IS NOT NULL GROUP BY lease_token, slot HAVING count(*) > 1
    UNION ALL
    SELECT 'ended without a time, or with one and not ended', id FROM embedding_tasks
    WHERE (status IN ('completed', 'failed', 'cancelled')) <> (completed_at IS NOT NULL)
    UNION ALL
    SELECT 'more attempts than allowed', id FROM embedding_tasks WHERE attempts > max_attempts
    UNION ALL
    SELECT 'a task without its creation in the audit trail', t.id FROM embedding_tasks t
    WHERE (SELECT count(*) FROM embedding_task_events e WHERE e.task_id = t.id AND e.event = 'created') <> 1
    UNION ALL
    SELECT 'an entry of the audit trail that does not begin where the one before ended', c.id FROM (
        SELECT id, from_status, lag(to_status) OVER (PARTITION BY task_id ORDER BY id) AS before
        FROM embedding_task_events WHERE task_id IS NOT NULL) c
    WHERE c.from_status IS DISTINCT FROM c.before
    UNION ALL
    SELECT 'a status that the audit trail does not end with', t.id FROM embedding_tasks t
    WHERE t.status <> (SELECT e.to_status FROM embedding_task_events e WHERE e.task_id = t.id ORDER BY e.id DESC LIMIT 1)
    UNION ALL
    SELECT 'a count that is not the count', c.tasks FROM embedding_task_counts c
    WHERE c.tasks <> (SELECT count(*) FROM embedding_tasks t WHERE t.status = c.status)
    UNION ALL
    SELECT 'vectors of a revision that the article never had', e.article_id
    FROM article_embeddings e JOIN articles a ON a.id = e.article_id WHERE e.revision > a.revision
    UNION ALL
    SELECT 'vectors of an article that wants none', e.article_id
    FROM article_embeddings e JOIN articles a ON a.id = e.article_id WHERE a.skip_embedding
    UNION ALL
    SELECT 'vectors that are not those of the revision they name', e.article_id FROM article_embeddings e
    WHERE NOT EXISTS (SELECT 1 FROM articles a
                      WHERE a.id = e.article_id AND a.revision = e.revision AND a.content_hash = e.content_hash)
      AND NOT EXISTS (SELECT 1 FROM article_versions v
                      WHERE v.article_id = e.article_id AND v.revision = e.revision AND v.content_hash = e.content_hash)
    UNION ALL
    SELECT 'a set of another number of chunks than it says', e.article_id FROM article_embeddings e
    WHERE e.chunk_count <> (SELECT count(*) FROM article_chunks c
                            WHERE c.article_id = e.article_id AND c.model_id = e.model_id)
    UNION ALL
    SELECT 'chunks that are not in the text they were cut from', c.article_id
    FROM article_chunks c JOIN article_embeddings e ON e.article_id = c.article_id AND e.model_id = c.model_id
    JOIN (SELECT id AS article_id, revision, body FROM articles
          UNION ALL SELECT article_id, revision, body FROM article_versions) r
         ON r.article_id = e.article_id AND r.revision = e.revision
    WHERE replace(r.body, c.text, '') = r.body
    UNION ALL
    SELECT 'other than one active model', count(*) FROM embedding_models WHERE state = 'active' HAVING count(*) > 1
    UNION ALL
    SELECT 'a former name that is a present one', a.id FROM slug_aliases s JOIN articles a ON a.slug = s.slug";

#[derive(FromRow)]
struct Broken {
    rule: String,
    row_id: i64,
}

/// The broken invariants.
pub(crate) async fn broken(database: &Database) -> Vec<String> {
    let rows = database.reader().rows::<Broken>(BROKEN, []).await.expect("an answer");
    rows.into_iter().map(|Broken { rule, row_id }| format!("{rule} (row {row_id})")).collect()
}
