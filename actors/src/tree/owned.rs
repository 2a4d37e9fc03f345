//! A spawned task that ends with its owner.

use std::future::Future;

/// Aborts its task when dropped, so that no work outlives the actor that began it.
pub(super) struct Owned(tokio::task::JoinHandle<()>);

impl Owned {
    pub(super) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits for its end.
    pub(super) async fn ended(mut self) {
        // One that panicked has ended too.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abort();
    }
}
