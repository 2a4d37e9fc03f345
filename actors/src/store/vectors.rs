//! An article's set of vectors: what a finished attempt stores, and what a later attempt may reuse.

pub mod index;
mod postgres;
mod sqlite;

use std::collections::{HashMap, HashSet};

pub use postgres::literal;

use super::{
    Engine, StoreError, locks,
    sql::{FromRow, Sql},
};
use crate::{
    embedder::Vector,
    task::{ClaimedTask, EmbeddedChunk, EmbeddedSet, Lease},
};

/// The text of an article for embedding.
#[derive(Debug, FromRow)]
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
#[derive(Debug)]
pub enum Reading {
    /// All of it.
    Text(Text),
    /// Nothing: its body is longer than asked for.
    Longer {
        /// Length of the body. *Units:* bytes.
        bytes: u64,
    },
}

/// Returns the text of an article if its body has at most `most` bytes; `None` if the article is deleted.
///
/// # Errors
/// [`StoreError`]
pub async fn text_up_to(connection: &impl Sql, article_id: i64, most: u32) -> Result<Option<Reading>, StoreError> {
    #[derive(FromRow)]
    struct Bounded {
        title: String,
        body: Option<String>,
        bytes: i64,
        revision: i64,
        content_hash: String,
        skip_embedding: bool,
    }
    let row = connection
        .row::<Bounded>(
            "SELECT title, CASE WHEN octet_length(body) <= $2 THEN body END AS body,
                    CAST(octet_length(body) AS BIGINT) AS bytes, revision, content_hash, skip_embedding
             FROM articles WHERE id = $1",
            [article_id.into(), i64::from(most).into()],
        )
        .await?;
    Ok(row.map(|Bounded { title, body, bytes, revision, content_hash, skip_embedding }| match body {
        Some(body) => Reading::Text(Text { title, body, revision, content_hash, skip_embedding }),
        None => Reading::Longer { bytes: u64::try_from(bytes).unwrap_or_default() },
    }))
}

/// Returns the vectors that `model_id` has made before for inputs with these hashes, in any article.
///
/// # Errors
/// [`StoreError`]
pub async fn known(
    connection: &impl Sql,
    model_id: i64,
    hashes: &HashSet<&str>,
) -> Result<HashMap<String, Vector>, StoreError> {
    let hashes = serde_json::to_string(hashes).unwrap_or_default();
    let rows = connection
        .rows::<(String, Vec<u8>)>(
            "SELECT hash, vector FROM article_chunks WHERE id IN (
                 SELECT min(c.id) FROM {texts $2} j CROSS JOIN article_chunks c
                 WHERE c.model_id = $1 AND c.hash = j.text GROUP BY c.hash)",
            [model_id.into(), hashes.into()],
        )
        .await?;
    // A damaged vector is made again rather than trusted.
    Ok(rows.into_iter().filter_map(|(hash, bytes)| Some((hash, Vector::from_bytes(&bytes).ok()?))).collect())
}

/// Whether an attempt may still write, read inside the transaction that would write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
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

/// Returns the standing under each lease that is still valid, for the set that its task is processed for; others are
/// missing from the answer. By lease and not by task: one batch may end two attempts at a task, one of which has lost
/// it.
///
/// # Errors
/// [`StoreError`]
pub async fn standing(transaction: &impl Sql, tasks: &[&ClaimedTask]) -> Result<HashMap<Lease, Standing>, StoreError> {
    let ids: Vec<_> = tasks.iter().map(|task| task.lease.task_id).collect();
    locks::hold_articles_of(transaction, &ids).await?;
    let held: Vec<(i64, &str)> = tasks.iter().map(|task| pair(&task.lease)).collect();
    let rows = transaction
        .rows::<(i64, String, Option<bool>, Option<i64>)>(
            "SELECT t.id, j.token, a.skip_embedding, e.revision AS stored
             FROM {rows $1: id BIGINT, token TEXT} j CROSS JOIN embedding_tasks t
             LEFT JOIN articles a ON a.id = t.article_id
             LEFT JOIN article_embeddings e ON e.article_id = a.id AND e.model_id = t.model_id
             WHERE t.id = j.id AND t.lease_token = j.token",
            [serde_json::to_string(&held).unwrap_or_default().into()],
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(|(task_id, token, skips, stored)| {
            let standing = match skips {
                None => Standing::Gone,
                Some(true) => Standing::Skipped,
                Some(false) => Standing::Wanted { stored: stored.unwrap_or(0) },
            };
            (Lease { task_id, token }, standing)
        })
        .collect())
}

fn pair(lease: &Lease) -> (i64, &str) {
    (lease.task_id, &lease.token)
}

/// Makes `set` the article's vectors for `model_id`. Chunks that have not moved keep their row.
///
/// The caller has checked the lease and the [`Standing`] in this transaction, and passes on its `stored`.
///
/// # Errors
/// [`StoreError`]
pub async fn store(
    transaction: &impl Sql,
    article_id: i64,
    model_id: i64,
    set: &EmbeddedSet,
    stored: i64,
) -> Result<(), StoreError> {
    transaction
        .run(
            "INSERT INTO article_embeddings (article_id, model_id, revision, content_hash, chunk_count, embedded_at)
             VALUES ($1, $2, $3, $4, $5, {now})
             ON CONFLICT (article_id, model_id) DO UPDATE SET revision = excluded.revision,
                 content_hash = excluded.content_hash, chunk_count = excluded.chunk_count,
                 embedded_at = excluded.embedded_at",
            [
                article_id.into(),
                model_id.into(),
                set.revision.into(),
                set.content_hash.clone().into(),
                i64::try_from(set.chunks.len()).unwrap_or(i64::MAX).into(),
            ],
        )
        .await?;
    let kept = match stored {
        0 => HashSet::new(), // The first set has no stored chunks to compare with.
        _ => drop_changed(transaction, article_id, model_id, &set.chunks).await?,
    };
    let new: Vec<_> = set.chunks.iter().enumerate().filter(|(position, _)| !kept.contains(position)).collect();
    match transaction.engine() {
        Engine::Sqlite => sqlite::insert(transaction, article_id, model_id, &new).await,
        Engine::Postgres => postgres::insert(transaction, article_id, model_id, &new).await,
    }
}

/// Records that the stored vectors are valid for `revision` too.
///
/// # Errors
/// [`StoreError`]
pub async fn confirm(transaction: &impl Sql, article_id: i64, model_id: i64, revision: i64) -> Result<(), StoreError> {
    transaction
        .run(
            "UPDATE article_embeddings SET revision = $3
             WHERE article_id = $1 AND model_id = $2 AND revision < $3",
            [article_id.into(), model_id.into(), revision.into()],
        )
        .await
        .map(drop)
}

/// Removes all vectors of an article, of every model.
///
/// # Errors
/// [`StoreError`]
pub async fn remove(transaction: &impl Sql, article_id: i64) -> Result<(), StoreError> {
    transaction.run("DELETE FROM article_embeddings WHERE article_id = $1", [article_id.into()]).await.map(drop)
}

/// Deletes the rows that differ from `chunks` at their position; returns the positions that are right already.
async fn drop_changed(
    transaction: &impl Sql,
    article_id: i64,
    model_id: i64,
    chunks: &[EmbeddedChunk],
) -> Result<HashSet<usize>, StoreError> {
    let rows = transaction
        .rows::<(i64, i32, String)>(
            "SELECT id, position, hash FROM article_chunks WHERE article_id = $1 AND model_id = $2",
            [article_id.into(), model_id.into()],
        )
        .await?;
    let mut kept = HashSet::new();
    let mut changed = Vec::new();
    for (id, position, hash) in rows {
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        if chunks.get(position).is_some_and(|chunk| chunk.hash == hash) {
            kept.insert(position);
        } else {
            changed.push(id);
        }
    }
    if !changed.is_empty() {
        let ids = serde_json::to_string(&changed).unwrap_or_default();
        transaction.run("DELETE FROM article_chunks WHERE id IN (SELECT id FROM {ids $1} j)", [ids.into()]).await?;
    }
    Ok(kept)
}
