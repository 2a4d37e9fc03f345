//! Vectors that were answered a moment ago. Pure.
//!
//! An article's vectors reach the database when all of it is embedded. Until then, another article with the same text
//! finds them here; so does the next attempt after a worker has died.

use std::collections::{HashMap, VecDeque};

use crate::embedder::Vector;

/// Most memory for the vectors. *Units:* bytes.
const MAX_BYTES: usize = 16 << 20;

/// Vectors by the hash of their text.
#[derive(Debug, Default)]
pub(super) struct Recent {
    vectors: HashMap<String, Vector>,
    /// The oldest first.
    order: VecDeque<String>,
    bytes: usize,
}

impl Recent {
    /// Remembers the vector of a text; drops the oldest if there is no room.
    pub(super) fn keep(&mut self, hash: &str, vector: &Vector) {
        if self.vectors.insert(hash.to_owned(), vector.clone()).is_some() {
            return; // Same size: all vectors of a model have one length.
        }
        self.order.push_back(hash.to_owned());
        self.bytes += size_of(hash, vector);
        while self.bytes > MAX_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            if let Some(vector) = self.vectors.remove(&oldest) {
                self.bytes -= size_of(&oldest, &vector);
            }
        }
    }

    pub(super) fn get(&self, hash: &str) -> Option<&Vector> {
        self.vectors.get(hash)
    }

    /// Forgets all of them.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Estimated memory: the hash is stored twice, and the collections have some overhead. *Units:* bytes.
fn size_of(hash: &str, vector: &Vector) -> usize {
    2 * hash.len() + 4 * vector.as_slice().len() + 128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_within_the_budget() {
        let vector = Vector::normalised(vec![1.0; 1024]).expect("a vector");
        let mut recent = Recent::default();
        for number in 0..10_000 {
            recent.keep(&number.to_string(), &vector);
            recent.keep(&number.to_string(), &vector);
            assert!(recent.bytes <= MAX_BYTES);
        }
        assert_eq!(recent.get("0"), None);
        assert_eq!(recent.get("9999"), Some(&vector));
        assert_eq!(recent.order.len(), recent.vectors.len());
        recent.forget();
        assert_eq!((recent.get("9999"), recent.bytes), (None, 0));
    }
}
