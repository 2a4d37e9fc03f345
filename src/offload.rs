//! Runs work that takes a processor for a while away from the threads that answer requests, and only little at once: a
//! text of many megabytes takes several times its size while it is read.

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

/// As many as half of the cores, for all callers of this process together; the other half answers.
static ROOM: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new((cores / 2).clamp(1, 8)))
});

/// Texts up to this size are read in place: moving them would take longer. *Units:* bytes.
pub(crate) const SMALL: usize = 16 << 10;

/// Reads `text` in place, or, if that takes a while, on another thread.
pub(crate) async fn read<T: Send + 'static>(text: &str, reading: fn(&str) -> T) -> T {
    if text.len() <= SMALL {
        return reading(text);
    }
    let text = text.to_owned();
    run(move || reading(&text)).await
}

/// Does `work` on another thread, when one of the few is free. It runs to its end even if its caller is dropped.
///
/// # Panics
/// If `work` does.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let room = Arc::clone(&ROOM).acquire_owned().await;
    let done = tokio::task::spawn_blocking(move || {
        let _room = room;
        work()
    });
    match done.await {
        Ok(done) => done,
        Err(broken) if broken.is_panic() => std::panic::resume_unwind(broken.into_panic()),
        // The process is ending, and no caller waits for this any more.
        Err(_) => std::future::pending().await,
    }
}
