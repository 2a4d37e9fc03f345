//! The vectors that are in memory.

use std::sync::{
    Arc, Mutex, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use super::index::Index;

/// What is in memory.
#[derive(Default)]
pub(super) struct Contents {
    loaded: RwLock<Option<LoadedVectors>>,
    /// The same vectors from a file that was just written; the next pass goes on with it.
    offered: Mutex<Option<LoadedVectors>>,
    /// Chunks read by the reading that is under way.
    pub(super) read: AtomicU64,
}

/// The vectors of one model.
#[derive(Clone)]
pub(super) struct LoadedVectors {
    pub(super) model_id: i64,
    /// The last change that is included.
    pub(super) seq: i64,
    pub(super) index: Arc<RwLock<Index>>,
}

impl Contents {
    /// The vectors of `model_id`, if they are there.
    pub(super) fn of(&self, model_id: i64) -> Option<LoadedVectors> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.as_ref().filter(|loaded| loaded.model_id == model_id).cloned()
    }

    /// Searches use `loaded` from now on.
    pub(super) fn show(&self, loaded: LoadedVectors) {
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
    }

    /// The next pass goes on with `loaded`.
    pub(super) fn offer(&self, loaded: LoadedVectors) {
        *self.offered.lock().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
    }

    /// Whether something was offered that no pass has taken.
    pub(super) fn has_offer(&self) -> bool {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// What was offered of `model_id`; nothing is offered afterwards.
    pub(super) fn take_offer(&self, model_id: i64) -> Option<LoadedVectors> {
        let offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner).take();
        offered.filter(|loaded| loaded.model_id == model_id)
    }

    /// Searches no longer use `index`.
    pub(super) fn forget(&self, index: &Arc<RwLock<Index>>) {
        self.loaded.write().unwrap_or_else(PoisonError::into_inner).take_if(|loaded| Arc::ptr_eq(&loaded.index, index));
    }

    /// Notes how many chunks have been read for the first time.
    pub(super) fn note_read(&self, chunks: u64) {
        self.read.store(chunks, Ordering::Relaxed);
    }
}
