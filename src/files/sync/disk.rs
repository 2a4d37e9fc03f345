//! Runs work that blocks, on the disk or the processor, on a thread of its own.

use afterword_actors::store::StoreError;

/// Runs it on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Unexpected(format!("the program panicked over a file: {error}")))
}
