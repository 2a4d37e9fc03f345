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

    /// Ends it at its next pause, and waits until it has ended.
    pub(crate) async fn stopped(self) {
        self.0.abort();
        self.ended().await;
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

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        thread,
        time::Duration,
    };

    use super::AbortOnDrop;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_stopped_does_nothing_any_more() {
        for _ in 0..50 {
            let at_work = Arc::new(AtomicBool::new(false));
            let working = Arc::clone(&at_work);
            let work = AbortOnDrop::spawn(async move {
                loop {
                    working.store(true, Ordering::SeqCst);
                    thread::sleep(Duration::from_micros(200));
                    working.store(false, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            });
            while !at_work.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
            work.stopped().await;
            assert!(!at_work.load(Ordering::SeqCst));
        }
    }
}
