//! The vectors in memory, and the one task that brings them up to what is committed. Searches wait for that task; it
//! belongs to none of them, and goes on when a client that waited has hung up.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock, atomic::Ordering},
    time::Duration,
};

use afterword_actors::store::{Database, StoreError};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::task::AbortHandle;
use tokio_util::task::AbortOnDropHandle;

use super::{NoIndex, catch_up, contents::Contents, file_writer::FileWriter, index::Index};

/// The index of the model that searches use.
#[derive(Default)]
pub(in crate::search) struct Memory {
    contents: Arc<Contents>,
    pass: Mutex<Option<Pass>>,
    keeping: FileWriter,
}

/// The task that reads what is new. It ends early if the memory is dropped.
struct Pass {
    work: AbortHandle,
    end: Shared<BoxFuture<'static, Result<(), StoreError>>>,
}

impl Memory {
    /// One that keeps a file as soon as there are so many chunks.
    #[cfg(test)]
    pub(super) fn keeping_from(least: usize) -> Self {
        Self { keeping: FileWriter::from(least), ..Self::default() }
    }

    /// Chunks that the last reading of all rows has read.
    #[cfg(test)]
    pub(super) fn read_from_rows(&self) -> u64 {
        self.contents.read.load(Ordering::Relaxed)
    }

    /// The vectors of `model_id` with every change that is committed now.
    pub(super) async fn whole(&self, database: &Database, model_id: i64) -> Result<Arc<RwLock<Index>>, StoreError> {
        let upto = catch_up::last_change(database.reader()).await?;
        loop {
            if let Some(loaded) = self.contents.of(model_id)
                && loaded.seq >= upto
                && !self.contents.has_offer()
            {
                self.keep(database, model_id);
                return Ok(loaded.index);
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
    ) -> Result<Arc<RwLock<Index>>, NoIndex> {
        if let Ok(whole) = tokio::time::timeout(patience, self.whole(database, model_id)).await {
            return Ok(whole?);
        }
        let loaded = self.contents.of(model_id);
        let chunks = self.contents.read.load(Ordering::Relaxed);
        loaded.map(|loaded| loaded.index).ok_or(NoIndex::Reading { chunks })
    }

    /// Writes the vectors to a file beside the database, if that is worth it. It does not wait for the end.
    fn keep(&self, database: &Database, model_id: i64) {
        if let Some(beside) = database.beside() {
            self.keeping.consider(&self.contents, beside, model_id);
        }
    }

    /// Waits for a file that is being written.
    pub(super) async fn kept(&self) {
        self.keeping.end().await;
    }

    /// Reads everything from the rows before the next search, because the file of `index` is damaged.
    pub(super) fn forget(&self, database: &Database, index: &Arc<RwLock<Index>>) {
        if let Some(beside) = database.beside() {
            beside.remove();
        }
        self.contents.forget(index);
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
        let work = tokio::spawn(async move { catch_up::pass(&contents, &database, model_id).await });
        let work = AbortOnDropHandle::new(work);
        let new = Pass { work: work.abort_handle(), end: ended(work).boxed().shared() };
        let end = new.end.clone();
        *pass = Some(new);
        end
    }
}

async fn ended(work: AbortOnDropHandle<Result<(), StoreError>>) -> Result<(), StoreError> {
    work.await.unwrap_or_else(|error| Err(StoreError::Failed(format!("the reading of vectors ended early: {error}"))))
}
