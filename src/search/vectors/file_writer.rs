//! Decides when vectors are written to the file beside the database, which one task does while searches go on. If that
//! fails, the next start takes longer to read them.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use afterword_actors::store::VectorFilePath;
use tokio::task::JoinHandle;

use super::{
    contents::{Contents, LoadedVectors},
    index::Index,
    vector_file::VectorFile,
    writing,
};

/// Reading this many chunks takes less than a second.
const WORTH_KEEPING: usize = 5_000;
/// A file is written anew when this part of it is out of date.
const REWRITE_AT_ONE_IN: usize = 20;

/// The writing of files.
pub(super) struct FileWriter {
    /// Chunks that a file must spare the next reading.
    least: usize,
    task: Mutex<Option<JoinHandle<()>>>,
    /// The process ends, or writing has failed.
    stop: Arc<AtomicBool>,
}

impl Default for FileWriter {
    fn default() -> Self {
        Self { least: WORTH_KEEPING, task: Mutex::default(), stop: Arc::default() }
    }
}

impl FileWriter {
    /// Keeps as soon as there are so many chunks.
    #[cfg(test)]
    pub(super) fn from(least: usize) -> Self {
        let mut keeping = Self::default();
        keeping.least = least;
        keeping
    }

    /// Begins to write the index, if that is worth it and no task writes already; then offers the file to the next
    /// pass.
    pub(super) fn consider(&self, contents: &Arc<Contents>, beside: VectorFilePath, model_id: i64) {
        let Some(loaded) = contents.of(model_id) else { return };
        let (lag, kept) = {
            let index = loaded.index.read().unwrap_or_else(PoisonError::into_inner);
            (index.lag(), index.kept())
        };
        if lag < self.least.max(kept / REWRITE_AT_ONE_IN) || self.stop.load(Ordering::Relaxed) {
            return;
        }
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let (contents, stop) = (Arc::clone(contents), Arc::clone(&self.stop));
            *task = Some(tokio::task::spawn_blocking(move || keep(&contents, &loaded, &beside, &stop)));
        }
    }

    /// Waits until nothing is being written.
    pub(super) async fn end(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn keep(contents: &Contents, loaded: &LoadedVectors, beside: &VectorFilePath, stop: &AtomicBool) {
    let LoadedVectors { model_id, seq, index } = loaded;
    let written = beside.replace(|file| writing::write(file, index, *model_id, *seq, stop));
    match written {
        Ok(true) => {}
        // Another process writes: its file serves this one too.
        Ok(false) => return,
        Err(error) => {
            stop.store(true, Ordering::Relaxed);
            tracing::debug!(%error, file = %beside.path().display(), "vectors are not kept in a file");
            return;
        }
    }
    if let Ok(Some(kept)) = VectorFile::open(&beside.path())
        && (kept.model_id, kept.seq) == (*model_id, *seq)
    {
        let index = Arc::new(std::sync::RwLock::new(Index::of(kept)));
        contents.offer(LoadedVectors { model_id: *model_id, seq: *seq, index });
    }
}
