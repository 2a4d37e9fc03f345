//! Measuring search quality on a collection with known answers, in the layout of BEIR: `corpus.jsonl`,
//! `queries.jsonl`, `qrels.tsv` (or `qrels/test.tsv`); or on a folder of markdown files with a `questions.json`.
//!
//! *Source:* Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval
//! Models", NeurIPS 2021.

mod collection;
mod measures;

use serde::Serialize;

pub use collection::{Collection, CollectionError, Document, Place};

use crate::search::{Mode, Query, Search, SearchError};

/// Hits per query: recall is measured among this many.
const RECALL_DEPTH: usize = 100;
/// nDCG is measured among this many hits.
const NDCG_DEPTH: usize = 10;

/// A relevant article counts as found at once among this many hits.
const AT_ONCE: usize = 3;

/// How well one mode finds what is known to be relevant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quality {
    /// How the queries were searched.
    pub mode: Mode,
    /// Whether a reranker ordered the best hits again.
    pub reranked: bool,
    /// Queries with a known answer: those that were asked.
    pub queries: usize,
    /// Documents that are said to answer one and that there are none of: they count as not found.
    pub missing: usize,
    /// nDCG among the first 10 hits, mean over all queries; 1 is perfect.
    pub ndcg_at_10: f64,
    /// Recall among the first 100 hits, mean over all queries; 1 is perfect.
    pub recall_at_100: f64,
    /// Share of the queries with a relevant article in the first place.
    pub first: f64,
    /// Share of the queries with one in the first three places.
    pub in_three: f64,
    /// Queries that were answered without a part: the search by meaning, or the reranker.
    pub degraded: usize,
    /// Queries of which only the beginning was searched.
    pub cut: usize,
    /// Queries without a relevant article in the first three places in this mode, but with one in another.
    pub lost: Vec<String>,
}

/// The ways in which `search` can be measured: without its reranker in each mode, and in the mode that uses all if it
/// has one.
pub fn ways(search: &Search) -> Vec<SearchVariant> {
    let plain = search.clone().reranking(None);
    let modes = [Mode::Keyword, Mode::Semantic, Mode::Hybrid];
    let reranked = search.reranker().map(|_| SearchVariant { search: search.clone(), mode: Mode::Hybrid });
    modes.into_iter().map(|mode| SearchVariant { search: plain.clone(), mode }).chain(reranked).collect()
}

/// A way to search.
pub struct SearchVariant {
    /// With its reranker, if it has one.
    pub search: Search,
    /// How it is asked.
    pub mode: Mode,
}

/// Runs every query of `collection` in each of `ways`. The articles' slugs are those of [`Document::slug`].
///
/// # Errors
/// [`SearchError`]
pub async fn measure(
    ways: &[SearchVariant],
    collection: &Collection,
    mut tick: impl FnMut(),
) -> Result<Vec<Quality>, SearchError> {
    let mut measured: Vec<(Quality, Vec<bool>)> = Vec::new();
    for way in ways {
        measured.push(measure_one(way, collection, &mut tick).await?);
    }
    let found: Vec<_> = measured.iter().map(|(_, found)| found.clone()).collect();
    let of_all = |query: usize| found.iter().any(|found| found[query]);
    for (quality, found) in &mut measured {
        let queries = collection.judged_queries().enumerate();
        let lost = queries.filter(|(query, _)| !found[*query] && of_all(*query));
        quality.lost = lost.map(|(_, (text, _))| text.to_owned()).collect();
    }
    Ok(measured.into_iter().map(|(quality, _)| quality).collect())
}

/// Measures one way; also returns for each query whether a relevant article is among the first three.
async fn measure_one(
    SearchVariant { search, mode }: &SearchVariant,
    collection: &Collection,
    mut tick: impl FnMut(),
) -> Result<(Quality, Vec<bool>), SearchError> {
    let (mut ndcg, mut recall, mut first, mut degraded, mut cut) = (0.0, 0.0, 0, 0, 0);
    let mut at_once = Vec::new();
    for (text, relevant) in collection.judged_queries() {
        let answer = search.search(&Query::new(text, *mode, RECALL_DEPTH)).await?;
        degraded += usize::from(answer.degraded.is_some());
        cut += usize::from(answer.cut_to.is_some());
        let found: Vec<_> = answer.hits.iter().map(|hit| relevant.contains(&hit.slug)).collect();
        ndcg += measures::ndcg(&found, relevant.len(), NDCG_DEPTH);
        recall += measures::recall(&found, relevant.len(), RECALL_DEPTH);
        first += usize::from(found.first() == Some(&true));
        at_once.push(found.iter().take(AT_ONCE).any(|found| *found));
        tick();
    }
    let count = at_once.len();
    let queries = count.max(1) as f64;
    let in_three = at_once.iter().filter(|found| **found).count();
    let quality = Quality {
        mode: *mode,
        reranked: search.reranker().is_some(),
        queries: count,
        missing: collection.missing.len(),
        ndcg_at_10: ndcg / queries,
        recall_at_100: recall / queries,
        first: first as f64 / queries,
        in_three: in_three as f64 / queries,
        degraded,
        cut,
        lost: Vec::new(),
    };
    Ok((quality, at_once))
}
