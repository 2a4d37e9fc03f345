//! The vectors that are in memory.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use super::Matrix;

/// What is in memory.
#[derive(Default)]
pub(super) struct Contents {
    loaded: RwLock<Option<Loaded>>,
    /// Chunks read by the reading that is under way.
    pub(super) read: AtomicU64,
}

/// The vectors of one model.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) model_id: i64,
    /// Changes up to this one are in.
    pub(super) seq: i64,
    pub(super) matrix: Arc<RwLock<Matrix>>,
}

impl Contents {
    /// The vectors of `model_id`, if they are there.
    pub(super) fn of(&self, model_id: i64) -> Option<Loaded> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.as_ref().filter(|loaded| loaded.model_id == model_id).cloned()
    }

    /// Searches look at `loaded` from now on.
    pub(super) fn show(&self, loaded: Loaded) {
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
    }

    /// Notes how many chunks have been read for the first time.
    pub(super) fn note_read(&self, chunks: u64) {
        self.read.store(chunks, Ordering::Relaxed);
    }
}
