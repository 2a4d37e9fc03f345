//! A database with a long past: tasks that have ended, their audit trail, what bulk runs did, revisions, minutes.
//!
//! Made by a few statements, without the triggers, whose counts are put right afterwards.

use afterword_actors::store::{Database, Engine, sql::Sql};

/// The size of the past.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Articles that are there, embedded.
    pub(crate) articles: i64,
    /// Length of each body. *Units:* bytes.
    pub(crate) body: i64,
    /// Tasks that have ended; three entries of the audit trail each, and what a bulk run did.
    pub(crate) ended: i64,
}

/// Fills a database whose host has run once and has embedded the one article that there is.
pub(crate) async fn fill(database: &Database, size: Size) {
    let triggers = without_triggers(database).await;
    for sql in statements(database.engine(), size) {
        run(database, &sql).await;
    }
    for sql in triggers {
        run(database, &sql).await;
    }
}

async fn run(database: &Database, sql: &str) {
    let done = database.write_connection().script(sql).await;
    done.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// Takes the triggers away; returns the statements that bring them back.
async fn without_triggers(database: &Database) -> Vec<String> {
    if database.engine() == Engine::Postgres {
        for table in ["embedding_tasks", "article_embeddings"] {
            run(database, &format!("ALTER TABLE {table} DISABLE TRIGGER USER")).await;
        }
        let tables = ["embedding_tasks", "article_embeddings"];
        return tables.map(|table| format!("ALTER TABLE {table} ENABLE TRIGGER USER")).to_vec();
    }
    let sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'";
    let triggers = database.reader().rows::<(String, String)>(sql, []).await.expect("triggers");
    for (name, _) in &triggers {
        run(database, &format!("DROP TRIGGER {name}")).await;
    }
    triggers.into_iter().map(|(_, sql)| sql).collect()
}

/// Rows with a column `n`, from 1.
fn series(engine: Engine, to: i64) -> String {
    match engine {
        Engine::Sqlite => format!(
            "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {to}) SELECT n FROM s) s"
        ),
        Engine::Postgres => format!("generate_series(1, CAST({to} AS BIGINT)) s (n)"),
    }
}

/// A text of `size` bytes that does not compress to nothing.
fn text(engine: Engine, size: i64) -> String {
    match engine {
        Engine::Sqlite => format!("lower(hex(randomblob({})))", size / 2),
        Engine::Postgres => format!(
            "(SELECT string_agg(md5(random()::text || s.n || g.n), '') FROM generate_series(1, {}) g (n))",
            (size / 32).max(1)
        ),
    }
}

fn statements(engine: Engine, size: Size) -> Vec<String> {
    let Size { articles, body, ended } = size;
    let now = match engine {
        Engine::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        Engine::Postgres => "CAST(extract(epoch FROM now()) * 1000 AS BIGINT)",
    };
    let (of_articles, of_ended, of_few) =
        (series(engine, articles), series(engine, ended), series(engine, (ended / 10).max(1)));
    let body = text(engine, body);
    // Spread over the last five days; the first five hundred have been kept long enough.
    let when = format!("({now} - CASE WHEN s.n <= 500 THEN 4000000000 ELSE 432000000 - s.n % 400000000 END)");
    let embedding = match engine {
        Engine::Sqlite => "",
        Engine::Postgres => ", embedding",
    };
    let mut statements = vec![
        format!(
            "INSERT INTO articles (id, slug, title, folder, body, content_hash, created_at, updated_at)
             SELECT 1000 + s.n, 'old-' || s.n, 'Old ' || s.n, 'shelf/' || (s.n % 20), {body}, 'hash', 1, s.n
             FROM {of_articles}"
        ),
        format!(
            "INSERT INTO article_embeddings (article_id, model_id, revision, content_hash, chunk_count, embedded_at)
             SELECT 1000 + s.n, 1, 1, 'hash', 1, 1 FROM {of_articles}"
        ),
        format!(
            "INSERT INTO article_chunks
                 (article_id, model_id, position, heading_path, text, hash, tokens, vector{embedding})
             SELECT 1000 + s.n, 1, 0, '', 'some text', 'chunk-' || s.n, 5, c.vector{embedding}
             FROM {of_articles} CROSS JOIN (SELECT * FROM article_chunks ORDER BY id LIMIT 1) c"
        ),
        format!(
            "INSERT INTO embedding_tasks (model_id, article_id, slug, operation, status, priority, revision, attempts, max_attempts,
                 created_at, updated_at, scheduled_at, queue_key, started_at, completed_at, error_kind, error_message, cause)
             SELECT 1, 1001 + s.n % {articles}, 'old-' || s.n, 'update',
                    CASE s.n % 10 WHEN 3 THEN 'failed' WHEN 7 THEN 'cancelled' ELSE 'completed' END, 'normal', 1, 1, 3,
                    {when}, {when}, {when}, {when}, {when}, {when},
                    CASE s.n % 10 WHEN 3 THEN 'data' END, CASE s.n % 10 WHEN 3 THEN 'a reason' END, 'test'
             FROM {of_ended} ORDER BY s.n"
        ),
        // The newest of each article was completed.
        format!(
            "INSERT INTO embedding_tasks (model_id, article_id, slug, operation, status, priority, revision, attempts, max_attempts,
                 created_at, updated_at, scheduled_at, queue_key, started_at, completed_at, cause)
             SELECT 1, 1000 + s.n, 'old-' || s.n, 'update', 'completed', 'normal', 1, 1, 3, {now}, {now}, {now}, {now}, {now},
                    {now}, 'test' FROM {of_articles} ORDER BY s.n"
        ),
        format!(
            "INSERT INTO embedding_task_events (at, task_id, article_id, event, from_status, to_status, attempt)
             SELECT {when} + e.turn, s.n, 1001 + s.n % {articles}, e.event, NULL, e.event, 1
             FROM {of_ended} CROSS JOIN (SELECT 1 AS turn, 'created' AS event UNION ALL SELECT 2, 'claimed'
                                         UNION ALL SELECT 3, 'completed') e ORDER BY s.n, e.turn"
        ),
        format!(
            "INSERT INTO embedding_task_events (at, article_id, event, detail)
             SELECT {when}, 1001 + s.n % {articles}, 'article deleted', 'old-' || s.n FROM {of_few} ORDER BY s.n"
        ),
        format!(
            "INSERT INTO bulk_operations (scope, state, cursor, requested_at, finished_at, summary)
             SELECT 'all', 'completed', 0, {now} - 1000, {now}, '{{}}' FROM {}", series(engine, 20)
        ),
        format!(
            "INSERT INTO bulk_items (bulk_id, article_id, task_id, adopted)
             SELECT 1 + s.n % 20, s.n, s.n, FALSE FROM {of_ended}"
        ),
        format!(
            "INSERT INTO article_versions (article_id, revision, slug, title, folder, body, extra, content_hash,
                 skip_embedding, created_at, updated_at, superseded_at, deleted)
             SELECT CASE WHEN s.n % 2 = 0 THEN 1001 + s.n % {articles} ELSE 100000000 + s.n END, -s.n, 'past-' || s.n,
                    'Past', '', 'a body', '', 'hash', FALSE, 1, 1, {when}, s.n % 2 = 1 FROM {of_few}"
        ),
        format!(
            "INSERT INTO embedding_metrics
             SELECT ({when} / 60000 - s.n) * 60000, 'host-' || s.n, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1 FROM {of_few}"
        ),
        format!(
            "INSERT INTO idempotency_keys (key, request_hash, article_id, created_at)
             SELECT 'key-' || s.n, 'hash', 1000 + s.n, {when} FROM {of_few}"
        ),
        format!("INSERT INTO provider_calls (provider, at) SELECT 'somewhere', {now} - 300000 FROM {of_few}"),
        format!(
            "INSERT INTO embedding_hosts (incarnation, hostname, pid, version, state, started_at, heartbeat_at)
             SELECT 'host-' || s.n, 'here', 1, '0', 'stopped', {now} - s.n, {now} - s.n FROM {of_few}"
        ),
    ];
    match engine {
        Engine::Sqlite => statements.extend([
            format!(
                "INSERT INTO vector_changes (model_id, article_id) SELECT 1, 1000 + s.n % {articles} FROM {of_ended}"
            ),
            "UPDATE embedding_task_counts
             SET tasks = (SELECT count(*) FROM embedding_tasks t WHERE t.status = embedding_task_counts.status)"
                .to_owned(),
            "PRAGMA wal_checkpoint(TRUNCATE)".to_owned(),
        ]),
        Engine::Postgres => statements.extend([
            "DELETE FROM embedding_task_deltas".to_owned(),
            "UPDATE embedding_task_totals
             SET tasks = (SELECT count(*) FROM embedding_tasks t WHERE t.status = embedding_task_totals.status)"
                .to_owned(),
            "SELECT setval(pg_get_serial_sequence('articles', 'id'), (SELECT max(id) FROM articles))".to_owned(),
            "VACUUM (ANALYZE)".to_owned(),
        ]),
    }
    statements
}
