//! The vectors in memory, and the one task that brings them up to what is committed. Whoever needs them waits for that
//! task; it belongs to none of them, and goes on when a client that waited has hung up.

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use afterword_actors::store::{Database, StoreError};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::task::AbortHandle;

use super::{Matrix, NoIndex, catch_up};

/// The index of the model that searches use.
#[derive(Default)]
pub(in crate::search) struct Memory {
    contents: Arc<Contents>,
    pass: Mutex<Option<Pass>>,
}

/// What is in memory.
#[derive(Default)]
pub(super) struct Contents {
    loaded: RwLock<Option<Loaded>>,
    /// Chunks read by the reading that is under way.
    read: AtomicU64,
}

/// The vectors of one model.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) model_id: i64,
    /// Changes up to this one are in.
    pub(super) seq: i64,
    pub(super) matrix: Arc<RwLock<Matrix>>,
}

/// The task that reads what is new.
struct Pass {
    work: AbortHandle,
    end: Shared<BoxFuture<'static, Result<(), StoreError>>>,
}

impl Memory {
    /// The matrix of `model_id` with every change that is committed now.
    pub(super) async fn whole(&self, database: &Database, model_id: i64) -> Result<Arc<RwLock<Matrix>>, StoreError> {
        let upto = catch_up::last_change(database.reader()).await?;
        loop {
            if let Some(loaded) = self.contents.of(model_id)
                && loaded.seq >= upto
            {
                return Ok(loaded.matrix);
            }
            // One that was under way may have begun before the last change, or for another model.
            self.pass(database, model_id).await?;
        }
    }

    /// The same; if that takes longer than `patience`, without the last changes.
    pub(super) async fn within(
        &self,
        database: &Database,
        model_id: i64,
        patience: Duration,
    ) -> Result<Arc<RwLock<Matrix>>, NoIndex> {
        if let Ok(whole) = tokio::time::timeout(patience, self.whole(database, model_id)).await {
            return Ok(whole?);
        }
        let loaded = self.contents.of(model_id);
        let chunks = self.contents.read.load(Ordering::Relaxed);
        loaded.map(|loaded| loaded.matrix).ok_or(NoIndex::Reading { chunks })
    }

    /// The pass that is under way, or a new one.
    fn pass(&self, database: &Database, model_id: i64) -> Shared<BoxFuture<'static, Result<(), StoreError>>> {
        let mut pass = self.pass.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pass) = pass.as_ref()
            && !pass.work.is_finished()
        {
            return pass.end.clone();
        }
        let (contents, database) = (Arc::clone(&self.contents), database.clone());
        let work = tokio::spawn(async move { catch_up::pass(&contents, database.reader(), model_id).await });
        let new = Pass { work: work.abort_handle(), end: ended(work).boxed().shared() };
        let end = new.end.clone();
        *pass = Some(new);
        end
    }
}

async fn ended(work: tokio::task::JoinHandle<Result<(), StoreError>>) -> Result<(), StoreError> {
    work.await.unwrap_or_else(|error| Err(StoreError::Failed(format!("the reading of vectors ended early: {error}"))))
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.get_mut().unwrap_or_else(PoisonError::into_inner) {
            pass.work.abort();
        }
    }
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
