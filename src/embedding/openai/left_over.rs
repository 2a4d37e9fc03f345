//! Vectors that a failed call had already got: the next call with the same texts does not pay for them again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use afterword_actors::embedder::{Purpose, Vector};

/// Vectors that are kept: those of a few large requests.
const MAX_VECTORS: usize = 1_024;

/// Vectors by their purpose and text, without prefix.
#[derive(Debug, Default)]
pub(super) struct LeftOver {
    vectors: Mutex<HashMap<(Purpose, String), Vector>>,
}

impl LeftOver {
    /// Keeps the vectors of the first texts, as many as there are vectors.
    pub(super) fn keep<'a>(
        &self,
        purpose: Purpose,
        texts: impl IntoIterator<Item = &'a str>,
        vectors: impl IntoIterator<Item = Vector>,
    ) {
        let mut kept = self.vectors();
        for (text, vector) in texts.into_iter().zip(vectors) {
            if kept.len() >= MAX_VECTORS {
                kept.clear();
            }
            kept.insert((purpose, text.to_owned()), vector);
        }
    }

    /// Takes the vector of `text`, if it is there.
    pub(super) fn take(&self, purpose: Purpose, text: &str) -> Option<Vector> {
        self.vectors().remove(&(purpose, text.to_owned()))
    }

    fn vectors(&self) -> MutexGuard<'_, HashMap<(Purpose, String), Vector>> {
        self.vectors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
