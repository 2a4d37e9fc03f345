//! An article's set of vectors: what a finished attempt stores, and what a later attempt may reuse.

pub mod index;
mod new_chunk;
mod postgres;
mod sqlite;

use std::collections::{BTreeMap, HashMap, HashSet};

use new_chunk::{ChunkKey, NewChunk};
pub use postgres::literal;

use super::{
    Engine, StoreError, locks,
    sql::{self, FromRow, Sql},
};
use crate::{
    embedder::Vector,
    task::{ClaimedTask, EmbeddedSet, Lease},
};

/// The text of an article for embedding.
#[derive(Debug, Clone, FromRow)]
pub struct Text {
    /// Plain text.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// The revision of this text.
    pub revision: i64,
    /// Hash of title and body.
    pub content_hash: String,
    /// It is excluded from embedding.
    pub skip_embedding: bool,
}

/// Returns the present text of an article; `None` if it has been deleted.
///
/// # Errors
/// [`StoreError`]
pub async fn text_of(connection: &impl Sql, article_id: i64) -> Result<Option<Text>, StoreError> {
    connection
        .row(
            "SELECT title, body, revision, content_hash, skip_embedding FROM articles WHERE id = $1",
            [article_id.into()],
        )
        .await
}

/// The result of reading an article.
#[derive(Debug, Clone)]
pub enum Reading {
    /// All of it.
    Text(Text),
    /// Nothing: its body is longer than asked for.
    Longer {
        /// Length of the body. *Units:* bytes.
        bytes: u64,
    },
}

/// Returns the texts of articles whose bodies have at most `most` bytes, by their ids; those that are deleted are
/// missing.
///
/// # Errors
/// [`StoreError`]
pub async fn texts_up_to(connection: &impl Sql, ids: &[i64], most: u32) -> Result<HashMap<i64, Reading>, StoreError> {
    #[derive(FromRow)]
    struct TextRow {
        id: i64,
        title: String,
        body: Option<String>,
        bytes: i64,
        revision: i64,
        content_hash: String,
        skip_embedding: bool,
    }
    let ids = sql::json(ids)?;
    let rows = connection
        .rows::<TextRow>(
            "SELECT a.id, a.title, CASE WHEN octet_length(a.body) <= $2 THEN a.body END AS body,
                    CAST(octet_length(a.body) AS BIGINT) AS bytes, a.revision, a.content_hash, a.skip_embedding
             FROM {ids $1} j CROSS JOIN articles a WHERE a.id = j.id",
            [ids, i64::from(most).into()],
        )
        .await?;
    let reading = |TextRow { id, title, body, bytes, revision, content_hash, skip_embedding }| {
        let reading = match body {
            Some(body) => Reading::Text(Text { title, body, revision, content_hash, skip_embedding }),
            None => Reading::Longer { bytes: u64::try_from(bytes).unwrap_or_default() },
        };
        (id, reading)
    };
    Ok(rows.into_iter().map(reading).collect())
}

/// Returns the vectors that models (their ids) have made before for inputs with these hashes, in any article.
///
/// # Errors
/// [`StoreError`]
pub async fn of_hashes(
    connection: &impl Sql,
    hashes: &[(i64, String)],
) -> Result<HashMap<(i64, String), Vector>, StoreError> {
    #[derive(FromRow)]
    struct KnownRow {
        model_id: i64,
        hash: String,
        vector: Vec<u8>,
    }
    let hashes = sql::json(hashes)?;
    let rows = connection
        .rows::<KnownRow>(
            "SELECT model_id, hash, vector FROM article_chunks WHERE id IN (
                 SELECT min(c.id) FROM {rows $1: model_id BIGINT, hash TEXT} j CROSS JOIN article_chunks c
                 WHERE c.model_id = j.model_id AND c.hash = j.hash GROUP BY c.model_id, c.hash)",
            [hashes],
        )
        .await?;
    // A damaged vector is made again rather than trusted.
    let keyed = |row: KnownRow| Some(((row.model_id, row.hash), Vector::from_bytes(&row.vector).ok()?));
    Ok(rows.into_iter().filter_map(keyed).collect())
}

/// Whether an attempt may still write, read inside the transaction that would write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteCheck {
    /// The article wants these vectors; those stored are of this revision, 0 if there are none.
    Wanted {
        /// Revision of the stored vectors.
        stored: i64,
    },
    /// The article has been deleted.
    Gone,
    /// The article is not to be embedded any more.
    Skipped,
}

/// Checks what the attempts at `tasks` may still write, each for the set that its task is processed for. Leases that
/// are no longer valid are missing from the answer. The answer is by lease and not by task: one batch may end two
/// attempts at a task, one of which has lost it.
///
/// # Errors
/// [`StoreError`]
pub async fn check_writes(
    transaction: &impl Sql,
    tasks: &[&ClaimedTask],
) -> Result<HashMap<Lease, WriteCheck>, StoreError> {
    let ids: Vec<_> = tasks.iter().map(|task| task.lease.task_id).collect();
    locks::hold_articles_of(transaction, &ids).await?;
    let leases: Vec<(i64, &str)> = tasks.iter().map(|task| pair(&task.lease)).collect();
    let rows = transaction
        .rows::<(i64, String, Option<bool>, Option<i64>)>(
            "SELECT t.id, j.token, a.skip_embedding, e.revision AS stored
             FROM {rows $1: id BIGINT, token TEXT} j CROSS JOIN embedding_tasks t
             LEFT JOIN articles a ON a.id = t.article_id
             LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = t.model_id
             WHERE t.id = j.id AND t.lease_token = j.token",
            [sql::json(&leases)?],
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(|(task_id, token, skips, stored)| {
            let check = match skips {
                None => WriteCheck::Gone,
                Some(true) => WriteCheck::Skipped,
                Some(false) => WriteCheck::Wanted { stored: stored.unwrap_or(0) },
            };
            (Lease { task_id, token }, check)
        })
        .collect())
}

fn pair(lease: &Lease) -> (i64, &str) {
    (lease.task_id, &lease.token)
}

/// A set of vectors that becomes an article's.
#[derive(Debug, Clone, Copy)]
pub struct NewSet<'s> {
    /// `articles.id`
    pub article_id: i64,
    /// `embedding_models.id`
    pub model_id: i64,
    /// The vectors.
    pub set: &'s EmbeddedSet,
    /// Revision of the stored vectors, 0 if there are none: see [`WriteCheck::Wanted`].
    pub stored: i64,
}

/// Makes `sets` the vectors of their articles, each of another one. Chunks that have not moved keep their row.
///
/// The caller has checked the leases and the [`WriteCheck`] in this transaction, and passes on its `stored`.
///
/// # Errors
/// [`StoreError`]
pub async fn store(transaction: &impl Sql, sets: &[NewSet<'_>]) -> Result<(), StoreError> {
    if sets.is_empty() {
        return Ok(());
    }
    let noted = |new: &NewSet<'_>| {
        let EmbeddedSet { revision, content_hash, chunks } = new.set;
        serde_json::json!([new.article_id, new.model_id, revision, content_hash, chunks.len()])
    };
    let noted: Vec<_> = sets.iter().map(noted).collect();
    transaction.later(NOTE, [sql::json(&noted)?]).await?;
    let kept = drop_changed(transaction, sets).await?;
    let chunks = sets.iter().flat_map(|new| {
        let chunks = new.set.chunks.iter().enumerate();
        chunks.map(|(position, chunk)| NewChunk { article_id: new.article_id, model_id: new.model_id, position, chunk })
    });
    let new: Vec<_> = chunks.filter(|new| !kept.contains(&new.place())).collect();
    match transaction.engine() {
        Engine::Sqlite => sqlite::insert(transaction, &new).await,
        Engine::Postgres => postgres::insert(transaction, &new).await,
    }
}

const NOTE: &str = "
    INSERT INTO article_embeddings (article_id, model_id, revision, content_hash, chunk_count, embedded_at)
    SELECT article_id, model_id, revision, content_hash, chunk_count, {now}
    FROM {rows $1: article_id BIGINT, model_id BIGINT, revision BIGINT, content_hash TEXT, chunk_count INTEGER} j
    WHERE TRUE
    ON CONFLICT (article_id, model_id) DO UPDATE SET revision = excluded.revision,
        content_hash = excluded.content_hash, chunk_count = excluded.chunk_count, embedded_at = excluded.embedded_at";

/// Stored vectors that are valid for a later revision too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmedVectors {
    /// Their article.
    pub article_id: i64,
    /// Their model.
    pub model_id: i64,
    /// The revision.
    pub revision: i64,
}

/// Records the revisions for which stored vectors are valid too.
///
/// # Errors
/// [`StoreError`]
pub async fn confirm(transaction: &impl Sql, confirmed: &[ConfirmedVectors]) -> Result<(), StoreError> {
    if confirmed.is_empty() {
        return Ok(());
    }
    // Each set once, or PostgreSQL refuses to write it: the latest revision counts.
    let mut latest = BTreeMap::new();
    for &ConfirmedVectors { article_id, model_id, revision } in confirmed {
        let known = latest.entry((article_id, model_id)).or_insert(revision);
        *known = revision.max(*known);
    }
    let rows: Vec<_> = latest.into_iter().map(|((article, model), revision)| (article, model, revision)).collect();
    // As an insert that always meets its row: it begins with the list, whatever the planner thinks of it.
    let sql = "INSERT INTO article_embeddings (article_id, model_id, revision, content_hash, chunk_count, embedded_at)
               SELECT e.article_id, e.model_id, j.revision, e.content_hash, e.chunk_count, e.embedded_at
               FROM {rows $1: article_id BIGINT, model_id BIGINT, revision BIGINT} j CROSS JOIN article_embeddings e
               WHERE e.article_id = j.article_id AND e.model_id = j.model_id AND e.revision < j.revision
               ON CONFLICT (article_id, model_id) DO UPDATE SET revision = excluded.revision";
    transaction.later(sql, [sql::json(&rows)?]).await
}

/// Removes all vectors of these articles, of every model.
///
/// # Errors
/// [`StoreError`]
pub async fn remove(transaction: &impl Sql, articles: &[i64]) -> Result<(), StoreError> {
    if articles.is_empty() {
        return Ok(());
    }
    let sql = "DELETE FROM article_embeddings WHERE article_id IN (SELECT id FROM {ids $1} j)";
    transaction.later(sql, [sql::json(articles)?]).await
}

/// Deletes the rows that differ from those of `sets` at their position; returns the places that are right already.
async fn drop_changed(transaction: &impl Sql, sets: &[NewSet<'_>]) -> Result<HashSet<ChunkKey>, StoreError> {
    #[derive(FromRow)]
    struct StoredRow {
        id: i64,
        article_id: i64,
        model_id: i64,
        position: i32,
        hash: String,
    }
    // The first set has no stored chunks to compare with.
    let earlier = sets.iter().filter(|new| new.stored != 0);
    let earlier: HashMap<_, _> = earlier.map(|new| ((new.article_id, new.model_id), &new.set.chunks)).collect();
    if earlier.is_empty() {
        return Ok(HashSet::new());
    }
    let keys: Vec<_> = earlier.keys().collect();
    let sql = "SELECT c.id, c.article_id, c.model_id, c.position, c.hash
               FROM {rows $1: article_id BIGINT, model_id BIGINT} j CROSS JOIN article_chunks c
               WHERE c.article_id = j.article_id AND c.model_id = j.model_id";
    let rows = transaction.rows::<StoredRow>(sql, [sql::json(&keys)?]).await?;
    let mut kept = HashSet::new();
    let mut changed = Vec::new();
    for row in rows {
        let StoredRow { id, article_id, model_id, position, hash } = row;
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let chunk = earlier.get(&(article_id, model_id)).and_then(|chunks| chunks.get(position));
        if chunk.is_some_and(|chunk| chunk.hash == hash) {
            kept.insert((article_id, model_id, position));
        } else {
            changed.push(id);
        }
    }
    if !changed.is_empty() {
        let ids = sql::json(&changed)?;
        transaction.later("DELETE FROM article_chunks WHERE id IN (SELECT id FROM {ids $1} j)", [ids]).await?;
    }
    Ok(kept)
}
