//! Measuring search quality on a collection with known answers, in the layout of BEIR: `corpus.jsonl`,
//! `queries.jsonl`, `qrels.tsv` (or `qrels/test.tsv`).
//!
//! *Source:* Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval
//! Models", NeurIPS 2021.

mod collection;
mod measures;

use serde::Serialize;

pub use collection::{Collection, CollectionError, Document};

use crate::{
    articles::folder::Folder,
    search::{Mode, Query, Search, SearchError},
};

/// Hits asked for: recall is measured among so many.
const DEPTH: usize = 100;
/// nDCG is measured among so many.
const TOP: usize = 10;

/// How well one mode finds what is known to be relevant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quality {
    /// How it was searched.
    pub mode: Mode,
    /// Mean over all queries; 1 is perfect.
    pub ndcg_at_10: f64,
    /// Mean over all queries; 1 is perfect.
    pub recall_at_100: f64,
    /// Queries that were answered without their meaning side.
    pub degraded: usize,
}

/// Runs every query of `collection` in `mode`. The articles' slugs are those of [`Document::slug`].
///
/// # Errors
/// [`SearchError`]
pub async fn measure(
    search: &Search,
    collection: &Collection,
    mode: Mode,
    mut tick: impl FnMut(),
) -> Result<Quality, SearchError> {
    let (mut ndcg, mut recall, mut degraded) = (0.0, 0.0, 0);
    for (text, relevant) in collection.judged_queries() {
        let query = Query { text: text.to_owned(), mode, limit: DEPTH, folder: Folder::default() };
        let answer = search.search(&query).await?;
        degraded += usize::from(answer.degraded.is_some());
        let found: Vec<_> = answer.hits.iter().map(|hit| relevant.contains(&hit.slug)).collect();
        ndcg += measures::ndcg(&found, relevant.len(), TOP);
        recall += measures::recall(&found, relevant.len(), DEPTH);
        tick();
    }
    let queries = collection.judged_queries().count().max(1) as f64;
    Ok(Quality { mode, ndcg_at_10: ndcg / queries, recall_at_100: recall / queries, degraded })
}
