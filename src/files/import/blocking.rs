//! Work that waits for the disk, or computes.

/// Runs what waits for the disk, or computes, on a thread of its own; `None` if it panicked.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
