//! Vectors of questions that were asked before: a question costs the model once.

use afterword_actors::embedder::Vector;
use quick_cache::{Weighter, sync::Cache};

/// Questions that are kept, if they are short.
const MAX_KEPT: usize = 2_000;
/// What is kept in all. *Units:* bytes.
const MAX_BYTES: u64 = 4 << 20;

/// Questions with their vectors, those that are asked often the longest.
pub(super) struct QuestionCache {
    kept: Cache<(i64, String), EmbeddedQuestion, Bytes>,
}

/// A question as a model has embedded it.
#[derive(Clone)]
pub(super) struct EmbeddedQuestion {
    pub(super) vector: Vector,
    /// Tokens that the model needs for a word of it, if it says so.
    pub(super) tokens_per_word: Option<f64>,
}

impl Default for QuestionCache {
    fn default() -> Self {
        Self { kept: Cache::with_weighter(MAX_KEPT, MAX_BYTES, Bytes) }
    }
}

impl QuestionCache {
    /// Returns the question as the model of this set of vectors has embedded it before.
    pub(super) fn of(&self, model_id: i64, text: &str) -> Option<EmbeddedQuestion> {
        self.kept.get(&(model_id, text.to_owned()))
    }

    /// Keeps it for the next time.
    pub(super) fn keep(&self, model_id: i64, text: &str, embedded: EmbeddedQuestion) {
        self.kept.insert((model_id, text.to_owned()), embedded);
    }
}

#[derive(Clone)]
struct Bytes;

impl Weighter<(i64, String), EmbeddedQuestion> for Bytes {
    fn weight(&self, (_, text): &(i64, String), embedded: &EmbeddedQuestion) -> u64 {
        (text.len() + size_of_val(embedded.vector.as_slice()) + size_of::<EmbeddedQuestion>()) as u64
    }
}
