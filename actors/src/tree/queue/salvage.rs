//! Vectors of failed attempts, so that the next attempt embeds only what is missing.
//!
//! In memory, and bounded: what is dropped, or lost with the actor, is embedded again.

use std::collections::{HashMap, VecDeque};

use crate::task::Vectors;

/// Most memory for vectors. *Units:* bytes.
const MAX_BYTES: usize = 64 << 20;

/// By article, because its next attempt may belong to another task.
#[derive(Default)]
pub(super) struct Salvage {
    articles: HashMap<i64, Vectors>,
    /// The longest kept first.
    order: VecDeque<i64>,
    bytes: usize,
}

impl Salvage {
    /// Keeps what an attempt at `article` has made; returns false if it is too large, or takes the place of another's:
    /// two that take it from each other would gain for ever.
    pub(super) fn keep(&mut self, article: i64, made: Vectors) -> bool {
        self.take(article);
        let size = size_of(&made);
        if made.is_empty() || size > MAX_BYTES {
            return false;
        }
        let had_room = self.bytes + size <= MAX_BYTES;
        while self.bytes + size > MAX_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.take(oldest);
        }
        self.bytes += size;
        self.order.push_back(article);
        self.articles.insert(article, made);
        had_room
    }

    /// Takes what is known of `article`, for its next attempt.
    pub(super) fn take(&mut self, article: i64) -> Vectors {
        let Some(made) = self.articles.remove(&article) else { return Vectors::new() };
        self.order.retain(|kept| *kept != article);
        self.bytes -= size_of(&made);
        made
    }
}

fn size_of(made: &Vectors) -> usize {
    made.iter().map(|(hash, vector)| hash.len() + 4 * vector.as_slice().len() + 64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedder::Vector;

    fn made(vectors: usize, dimension: usize) -> Vectors {
        let vector = Vector::normalised(vec![1.0; dimension]).expect("a vector");
        (0..vectors).map(|n| (n.to_string(), vector.clone())).collect()
    }

    #[test]
    fn what_is_kept_is_given_once_and_never_exceeds_the_budget() {
        let mut salvage = Salvage::default();
        assert!(!salvage.keep(1, Vectors::new()), "nothing was made");
        assert!(salvage.keep(1, made(3, 4)));
        assert_eq!(salvage.take(1).len(), 3);
        assert!(salvage.take(1).is_empty());
        let third = MAX_BYTES / 3 / (4 * 1024 + 68);
        for article in 0..5 {
            assert_eq!(salvage.keep(article, made(third, 1024)), article < 3, "it takes no other's place");
            assert!(salvage.bytes <= MAX_BYTES);
        }
        assert!(salvage.take(0).is_empty(), "the oldest went");
        assert_eq!(salvage.take(4).len(), third);
        assert!(!salvage.keep(9, made(MAX_BYTES / 4096, 1024)), "more than all");
    }
}
