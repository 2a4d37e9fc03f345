//! The nearest of many.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::Nearest;

/// The best so far, and what is needed to be among them.
pub(super) struct TopK {
    count: usize,
    heap: BinaryHeap<Reverse<ScoredChunk>>,
}

impl TopK {
    pub(super) fn new(count: usize) -> Self {
        Self { count, heap: BinaryHeap::with_capacity(count + 1) }
    }

    #[inline(always)]
    pub(super) fn wants(&self, similarity: f32) -> bool {
        self.heap.len() < self.count || self.heap.peek().is_some_and(|Reverse(worst)| similarity >= worst.0.similarity)
    }

    #[inline(never)]
    pub(super) fn push(&mut self, nearest: Nearest) {
        self.heap.push(Reverse(ScoredChunk(nearest)));
        if self.heap.len() > self.count {
            self.heap.pop();
        }
    }

    /// The best of both.
    pub(super) fn join(mut self, other: Self) -> Self {
        other.heap.into_iter().for_each(|Reverse(scored)| self.push(scored.0));
        self
    }

    /// How many are wanted.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn into_sorted(self) -> Vec<Nearest> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(scored)| scored.0).collect()
    }
}

/// In the order of similarity; of equals, the older chunk is the greater.
struct ScoredChunk(Nearest);

impl PartialEq for ScoredChunk {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ScoredChunk {}

impl PartialOrd for ScoredChunk {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ScoredChunk {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (own, other) = (&self.0, &other.0);
        own.similarity.total_cmp(&other.similarity).then(other.chunk_id.cmp(&own.chunk_id))
    }
}
