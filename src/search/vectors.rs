//! The vectors of one model in memory. Rows are the truth; this is an index that catches up before every look, so
//! that a search sees what any process has committed.
//!
//! A scan of 8-bit codes finds candidates, their stored 32-bit vectors decide: exact in practice, and a quarter of
//! the memory.

mod catch_up;
mod matrix;

use std::{collections::HashSet, sync::Arc};

use afterword_actors::{
    embedder::Vector,
    store::{Database, StoreError, sql::Sql},
};
use sea_orm::FromQueryResult;
use tokio::sync::RwLock;

use matrix::Matrix;

/// Candidates that are ranked again by their stored vectors, for each hit that is wanted.
const CANDIDATES_PER_HIT: usize = 4;
/// And at least so many.
const MIN_CANDIDATES: usize = 64;

/// The index of the model that searches use.
#[derive(Default)]
pub(super) struct VectorIndex {
    loaded: RwLock<Option<Loaded>>,
}

pub(super) struct Loaded {
    model_id: i64,
    /// Changes up to this one are in.
    seq: i64,
    matrix: Arc<std::sync::RwLock<Matrix>>,
}

/// An article and its chunk that is nearest to the query.
#[derive(Debug, Clone)]
pub(super) struct Nearest {
    pub(super) article_id: i64,
    pub(super) similarity: f32,
    pub(super) heading_path: String,
    pub(super) text: String,
}

impl VectorIndex {
    /// Reads the vectors of `model_id`, so that the next look need not.
    pub(super) async fn prepare(&self, database: &Database, model_id: i64) -> Result<(), StoreError> {
        self.caught_up(database, model_id).await.map(drop)
    }

    /// The `limit` articles nearest to `query`, of those in `within` if given.
    pub(super) async fn nearest(
        &self,
        database: &Database,
        model_id: i64,
        query: &Vector,
        within: Option<HashSet<i64>>,
        limit: usize,
    ) -> Result<Vec<Nearest>, StoreError> {
        let matrix = self.caught_up(database, model_id).await?;
        let candidates = (limit * CANDIDATES_PER_HIT).max(MIN_CANDIDATES);
        let scan = {
            let query = query.clone();
            // Milliseconds of arithmetic: not on the threads that serve everybody else.
            tokio::task::spawn_blocking(move || match matrix.read() {
                Ok(matrix) => matrix.scan(query.as_slice(), within.as_ref(), candidates),
                Err(poisoned) => poisoned.into_inner().scan(query.as_slice(), within.as_ref(), candidates),
            })
        };
        let chunks = scan.await.map_err(|error| StoreError::Failed(format!("the vector scan failed: {error}")))?;
        rank(database, query, &chunks, limit).await
    }
}

#[derive(FromQueryResult)]
struct Stored {
    article_id: i64,
    heading_path: String,
    text: String,
    vector: Vec<u8>,
}

/// The candidates by their stored vectors, each article once, by its best chunk.
async fn rank(database: &Database, query: &Vector, chunks: &[i64], limit: usize) -> Result<Vec<Nearest>, StoreError> {
    let ids = serde_json::to_string(chunks).unwrap_or_default();
    let rows = database
        .reader()
        .rows::<Stored>(
            "SELECT c.article_id, c.heading_path, c.text, c.vector FROM json_each($1) j
             CROSS JOIN article_chunks c ON c.id = j.value",
            [ids.into()],
        )
        .await?;
    let mut nearest: Vec<_> = rows.into_iter().filter_map(|row| compared(row, query)).collect();
    nearest.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.article_id.cmp(&b.article_id)));
    let mut seen = HashSet::new();
    nearest.retain(|hit| seen.insert(hit.article_id));
    nearest.truncate(limit);
    Ok(nearest)
}

fn compared(row: Stored, query: &Vector) -> Option<Nearest> {
    let vector = Vector::from_bytes(&row.vector).ok()?;
    let similarity = vector.as_slice().iter().zip(query.as_slice()).map(|(a, b)| a * b).sum();
    Some(Nearest { article_id: row.article_id, similarity, heading_path: row.heading_path, text: row.text })
}
