//! The vectors of one model. PostgreSQL searches its own; those of SQLite are kept in memory, and in a file beside the
//! database once there are many. The rows are the truth; memory and file are an index that catches up before every
//! search, so that a search sees what any process has committed.
//!
//! Signs choose among the vectors of the file, 8-bit codes rank the articles, and the stored 32-bit vectors of the
//! first ones decide their order. This is exact in practice, takes a quarter of the memory, and reads only the rows
//! that it ranks.

mod catch_up;
mod codes;
mod contents;
mod file_writer;
mod index;
mod matrix;
mod memory;
mod nearest;
mod postgres;
mod reading;
#[cfg(test)]
mod tests;
mod top_k;
mod vector_file;
mod writing;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError},
    time::Duration,
};

use afterword_actors::{
    embedder::Vector,
    store::{
        Database, Engine, StoreError,
        sql::{self, Sql},
    },
};

use crate::fulltext::SearchScope;
use matrix::Matrix;
pub(super) use memory::Memory as VectorIndex;
pub(super) use nearest::{Nearest, NoIndex};
use reading::DamagedFile;

/// Chunks found for each article that is wanted: some articles have several among the nearest.
const CHUNKS_PER_ARTICLE: usize = 4;
/// Articles whose order is decided by the stored vectors. Those after them count by their rank alone; codes tell
/// cosines apart to about 0.005.
const EXACT_ARTICLES: usize = 40;

/// What to find.
#[derive(Debug, Clone, Copy)]
pub(super) struct VectorQuery<'a> {
    pub(super) model_id: i64,
    /// The query.
    pub(super) near: &'a Vector,
    /// Only these articles.
    pub(super) among: &'a SearchScope,
    /// Articles, if there are as many.
    pub(super) depth: usize,
    /// How long to wait for vectors that are not in memory yet.
    pub(super) patience: Duration,
}

impl VectorIndex {
    /// Reads the vectors of `model_id`, so that the next search need not.
    pub(super) async fn prepare(&self, database: &Database, model_id: i64) -> Result<(), StoreError> {
        match database.engine() {
            Engine::Sqlite => {
                self.whole(database, model_id).await?;
                self.kept().await;
                Ok(())
            }
            Engine::Postgres => Ok(()),
        }
    }

    /// The articles nearest to the query.
    pub(super) async fn nearest(&self, database: &Database, look: VectorQuery<'_>) -> Result<Vec<Nearest>, NoIndex> {
        let VectorQuery { model_id, near, among, depth, .. } = look;
        let depth = depth.max(EXACT_ARTICLES);
        let mut limit = depth * CHUNKS_PER_ARTICLE;
        let mut articles = loop {
            let chunks = match database.engine() {
                Engine::Sqlite => self.scan(database, look, limit).await?,
                Engine::Postgres => postgres::nearest(database.reader(), model_id, near, among, limit).await?,
            };
            let were_all = chunks.len() < limit;
            let articles = best_of_each_article(chunks);
            if were_all || articles.len() >= depth {
                break articles;
            }
            // A few long articles hold most of the nearest chunks.
            limit *= 4;
        };
        articles.truncate(depth);
        let behind = articles.split_off(articles.len().min(EXACT_ARTICLES));
        let mut ranked = compare(database, near, articles).await?;
        ranked.extend(behind);
        Ok(ranked)
    }

    /// The nearest chunks by what is in memory.
    async fn scan(&self, database: &Database, look: VectorQuery<'_>, limit: usize) -> Result<Vec<Nearest>, NoIndex> {
        let within = articles_within(database, look.among).await?;
        let within = Arc::new(within);
        for _ in 0..2 {
            let index = self.within(database, look.model_id, look.patience).await?;
            let (query, within, looked_at) = (look.near.clone(), Arc::clone(&within), Arc::clone(&index));
            // Milliseconds of arithmetic: not on the threads that serve other requests.
            let scan = tokio::task::spawn_blocking(move || {
                let index = looked_at.read().unwrap_or_else(PoisonError::into_inner);
                index.scan(query.as_slice(), within.as_ref().as_ref(), limit)
            });
            match scan.await.map_err(|error| NoIndex::Failed(format!("the vectors cannot be compared: {error}")))? {
                Ok(found) => return Ok(found),
                Err(DamagedFile) => self.forget(database, &index),
            }
        }
        Err(NoIndex::Failed("the file of vectors is damaged, and is read anew".to_owned()))
    }
}

async fn articles_within(database: &Database, among: &SearchScope) -> Result<Option<HashSet<i64>>, StoreError> {
    let Some(condition) = among.condition(1) else { return Ok(None) };
    let sql = format!("SELECT a.id FROM articles a WHERE {condition}");
    let ids = database.reader().rows(&sql, among.values.clone()).await?;
    Ok(Some(ids.into_iter().collect()))
}

/// The chunks are in order, so the first of an article is its best.
fn best_of_each_article(chunks: Vec<Nearest>) -> Vec<Nearest> {
    let mut seen = HashSet::new();
    chunks.into_iter().filter(|chunk| seen.insert(chunk.article_id)).collect()
}

/// Orders by the stored vectors. An article whose chunks have been replaced since the scan keeps the similarity that
/// the scan has found.
async fn compare(database: &Database, query: &Vector, found: Vec<Nearest>) -> Result<Vec<Nearest>, StoreError> {
    let ids: Vec<_> = found.iter().map(|nearest| nearest.chunk_id).collect();
    let rows = database
        .reader()
        .rows::<(i64, Vec<u8>)>(
            "SELECT c.id, c.vector FROM {ids $1} j CROSS JOIN article_chunks c WHERE c.id = j.id",
            [sql::json(&ids)?],
        )
        .await?;
    let compared = |(chunk_id, bytes): (i64, Vec<u8>)| {
        let vector = Vector::from_bytes(&bytes).ok()?;
        Some((chunk_id, vector.as_slice().iter().zip(query.as_slice()).map(|(a, b)| a * b).sum::<f32>()))
    };
    let exact: HashMap<_, _> = rows.into_iter().filter_map(compared).collect();
    let mut nearest = found;
    for nearest in &mut nearest {
        nearest.similarity = exact.get(&nearest.chunk_id).copied().unwrap_or(nearest.similarity);
    }
    nearest.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.article_id.cmp(&b.article_id)));
    Ok(nearest)
}
