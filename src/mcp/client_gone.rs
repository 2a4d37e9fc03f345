//! Whether the client of a request is still connected: if it hung up and does not come back, a question need not be
//! answered.
//!
//! Over HTTP the protocol's library lets a call run on when the connection of its request ends, for a client that
//! resumes.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// Put into the extensions of a request, and cancelled when its client is gone.
#[derive(Clone)]
pub(super) struct ClientGone(Arc<CancellationToken>);

/// How often clients of a session came back to an answer.
#[derive(Clone, Default)]
pub(super) struct Returns(Arc<AtomicU64>);

/// Hangs up when it is dropped, and the call still runs.
pub(super) struct Receiver {
    line: Weak<CancellationToken>,
    returns: Returns,
    patience: Duration,
}

impl ClientGone {
    /// Returns when the client is gone.
    pub(super) async fn wait(&self) {
        self.0.cancelled().await;
    }
}

impl Returns {
    pub(super) fn note(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Returns a line for a request, and what receives its answers: once that is dropped, and nobody came back for
    /// `patience`, the client is gone.
    pub(super) fn line(&self, patience: Duration) -> (ClientGone, Receiver) {
        let line = Arc::new(CancellationToken::new());
        let receiver = Receiver { line: Arc::downgrade(&line), returns: self.clone(), patience };
        (ClientGone(line), receiver)
    }
}

impl Receiver {
    /// Passes answers on.
    pub(super) fn receive<S>(self, answers: S) -> impl Stream<Item = S::Item> + Send + Sync + use<S>
    where
        S: Stream + Send + Sync,
    {
        answers.map(move |answer| {
            let _receiver = &self;
            answer
        })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // The call has ended, or the process does.
        let (1.., Ok(runtime)) = (self.line.strong_count(), Handle::try_current()) else { return };
        let (line, returns, patience) = (self.line.clone(), self.returns.clone(), self.patience);
        let before = returns.count();
        runtime.spawn(async move {
            tokio::time::sleep(patience).await;
            if returns.count() == before
                && let Some(line) = line.upgrade()
            {
                line.cancel();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use futures_util::stream;

    use super::*;

    const TEST_TIMEOUT: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn who_hangs_up_and_does_not_come_back_is_gone() {
        let returns = Returns::default();
        let (line, receiver) = returns.line(TEST_TIMEOUT);
        let mut answers = receiver.receive(stream::pending::<u8>());
        assert!(matches!(futures_util::poll!(answers.next()), Poll::Pending));
        drop(answers);
        line.wait().await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_back_is_still_there() {
        let returns = Returns::default();
        let (line, receiver) = returns.line(TEST_TIMEOUT);
        drop(receiver.receive(stream::pending::<u8>()));
        returns.note();
        tokio::time::sleep(2 * TEST_TIMEOUT).await;
        assert!(matches!(futures_util::poll!(Box::pin(line.wait())), Poll::Pending));
    }
}
