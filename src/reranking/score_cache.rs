//! Scores of questions that were asked before: the next page of an answer has the order of the first, and costs
//! nothing.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use quick_cache::sync::Cache;

/// Answers that are kept, of at most 100 numbers each.
const MAX_KEPT: usize = 1_000;

/// Scores by the question and its documents, those that are asked for often the longest.
pub(super) struct ScoreCache {
    scores: Cache<Key, Arc<[f64]>>,
    /// Two, so that no two questions are taken for one.
    hashers: (RandomState, RandomState),
}

/// A question with its documents.
pub(super) type Key = (u64, u64);

impl Default for ScoreCache {
    fn default() -> Self {
        Self { scores: Cache::new(MAX_KEPT), hashers: (RandomState::new(), RandomState::new()) }
    }
}

impl ScoreCache {
    pub(super) fn key(&self, query: &str, documents: &[String]) -> Key {
        let key = (query, documents);
        (self.hashers.0.hash_one(key), self.hashers.1.hash_one(key))
    }

    pub(super) fn of(&self, key: Key) -> Option<Arc<[f64]>> {
        self.scores.get(&key)
    }

    pub(super) fn keep(&self, key: Key, scores: Arc<[f64]>) {
        self.scores.insert(key, scores);
    }
}
