//! Searches a database for faults.

use afterword_actors::store::{Database, Engine, StoreError, sql::Sql};
use serde::Serialize;

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Whether there is no fault that needs a backup or a repair.
    pub sound: bool,
    /// The faults.
    pub findings: Vec<VerifyFinding>,
    /// Articles looked at.
    pub articles: i64,
    /// Vectors looked at.
    pub chunks: i64,
    /// Tasks looked at.
    pub tasks: i64,
}

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyFinding {
    /// What it is, and what to do.
    pub message: String,
    /// Whether the program repairs it by itself.
    pub mends_itself: bool,
}

/// A count that should be zero.
struct Check {
    sql: &'static str,
    message: &'static str,
    mends_itself: bool,
}

const CHECKS: &[Check] = &[
    Check {
        sql: "SELECT count(*) AS n FROM (
                  SELECT c.status FROM embedding_task_counts c
                  WHERE c.tasks <> (SELECT count(*) FROM embedding_tasks t WHERE t.status = c.status))",
        message: "counts of tasks differ from the tasks; restore a backup",
        mends_itself: false,
    },
    Check {
        sql: "SELECT count(*) AS n FROM article_chunks c JOIN embedding_models m ON m.id = c.model_id
              WHERE length(c.vector) <> 4 * m.dimension",
        message: "vectors are damaged; run `afterword index rebuild`, which removes them, and a running host makes them again",
        mends_itself: false,
    },
    Check {
        sql: "SELECT count(*) AS n FROM article_embeddings e
              WHERE e.chunk_count <> (SELECT count(*) FROM article_chunks c
                                      WHERE c.article_id = e.article_id AND c.model_id = e.model_id)",
        message: "articles have fewer vectors than chunks; run `afterword index rebuild`, which removes them, and a running host \
                  makes them again",
        mends_itself: false,
    },
    Check {
        sql: "SELECT count(*) AS n FROM embedding_tasks WHERE status = 'processing' AND lease_expires_at < {now}",
        message: "tasks are claimed by hosts that are gone; a running host rescues them",
        mends_itself: true,
    },
    Check {
        sql: "SELECT count(*) AS n FROM articles a
              LEFT JOIN article_embeddings e ON e.article_id = a.id
                  AND e.model_id = (SELECT id FROM embedding_models WHERE state = 'active')
              WHERE NOT a.skip_embedding AND e.content_hash IS DISTINCT FROM a.content_hash AND NOT EXISTS (
                  SELECT 1 FROM embedding_tasks t
                  WHERE t.article_id = a.id AND t.status IN ('pending', 'processing', 'failed'))",
        message: "articles have no embedding and no task; the next sweep of a running host queues them",
        mends_itself: true,
    },
];

/// Faults that are possible on SQLite only.
const ON_SQLITE: &[Check] = &[
    Check {
        sql: "SELECT count(*) AS n FROM pragma_foreign_key_check",
        message: "rows refer to rows that are gone; restore a backup",
        mends_itself: false,
    },
    Check {
        sql: "SELECT count(*) AS n FROM articles WHERE id NOT IN (SELECT rowid FROM article_terms)
              AND id NOT IN (SELECT rowid FROM article_words)",
        message: "articles are not in the full-text index; run `afterword index rebuild`",
        mends_itself: false,
    },
];

/// Faults that are possible on PostgreSQL only.
const ON_POSTGRESQL: &[Check] = &[
    Check {
        sql: "SELECT count(*) AS n FROM articles a
              WHERE NOT EXISTS (SELECT 1 FROM article_terms w WHERE w.article_id = a.id)
                AND NOT EXISTS (SELECT 1 FROM article_words w WHERE w.article_id = a.id)",
        message: "articles are not in the full-text index; run `afterword index rebuild`",
        mends_itself: false,
    },
    Check {
        sql: "SELECT count(*) AS n FROM article_chunks WHERE 4 * vector_dims(embedding) <> length(vector)",
        message: "vectors are not as long in the index as they are stored; run `afterword index rebuild`, which removes them, \
                  and a running host makes them again",
        mends_itself: false,
    },
    Check {
        sql: "SELECT count(*) AS n FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
              WHERE NOT i.indisvalid AND c.relnamespace = CAST(current_schema() AS regnamespace)
                AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid)",
        message: "indexes were not built to their end; run `afterword index rebuild`",
        mends_itself: false,
    },
];

/// Checks the whole database. Reads only.
///
/// # Errors
/// [`StoreError`] if it cannot be read at all.
pub async fn verify(database: &Database) -> Result<Verification, StoreError> {
    let (mut findings, own) = match database.engine() {
        Engine::Sqlite => (integrity(database).await?, ON_SQLITE),
        Engine::Postgres => (Vec::new(), ON_POSTGRESQL),
    };
    for check in own.iter().chain(CHECKS) {
        let found = count(database, check.sql).await?;
        if found > 0 {
            let message = format!("{found} × {}", check.message);
            findings.push(VerifyFinding { message, mends_itself: check.mends_itself });
        }
    }
    Ok(Verification {
        sound: findings.iter().all(|finding| finding.mends_itself),
        findings,
        articles: count(database, "SELECT count(*) AS n FROM articles").await?,
        chunks: count(database, "SELECT count(*) AS n FROM article_chunks").await?,
        tasks: count(database, "SELECT count(*) AS n FROM embedding_tasks").await?,
    })
}

/// SQLite's own check of its pages and indexes.
async fn integrity(database: &Database) -> Result<Vec<VerifyFinding>, StoreError> {
    let messages = database.reader().rows::<String>("PRAGMA integrity_check(10)", []).await?;
    Ok(messages
        .into_iter()
        .filter(|message| message != "ok")
        .map(|message| VerifyFinding { message: format!("{message}; restore a backup"), mends_itself: false })
        .collect())
}

pub(super) async fn count(database: &Database, sql: &str) -> Result<i64, StoreError> {
    Ok(database.reader().row::<i64>(sql, []).await?.unwrap_or(0))
}
