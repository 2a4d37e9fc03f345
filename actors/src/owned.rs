//! A spawned task that ends with its owner.

use std::{any::Any, future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt;

/// Aborts its task when dropped, so that no work outlives the actor that started it.
pub(crate) struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl AbortOnDrop {
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) {
        // One that panicked has ended too.
        let _ = (&mut self.0).await;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Returns what `work` returns, or the text of its panic: the actor that waits for it must learn of its end in any
/// case.
pub(crate) async fn answer_of<T>(work: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| panic_text(panic.as_ref()))
}

/// Returns a panic's message.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "no message".to_owned())
}
