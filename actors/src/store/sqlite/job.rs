//! A write that waits for the writer: its body, and where its answer goes.

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::store::{StoreError, sql::Transaction};

/// The result of a job's body; its caller gets it when the transaction has ended.
pub(super) enum JobOutcome {
    Keep(Announce),
    Undo(Announce),
}

/// Answers the caller: with the body's result, or with the reason why it was not committed.
pub(super) type Announce = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A write of any type.
pub(super) trait Job: Send {
    /// Runs the body.
    fn run<'c>(self: Box<Self>, transaction: &'c Transaction) -> BoxFuture<'c, JobOutcome>;
    /// Answers without running it.
    fn refuse(self: Box<Self>, error: StoreError);
}

/// A write that results in a `T` or an `E`.
pub(super) struct TypedJob<T, E, F> {
    pub(super) body: F,
    pub(super) reply: oneshot::Sender<Result<T, E>>,
    /// Held until it is answered.
    pub(super) accepted: TaskTrackerToken,
}

impl<T, E, F> Job for TypedJob<T, E, F>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'c> FnOnce(&'c Transaction) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
{
    fn run<'c>(self: Box<Self>, transaction: &'c Transaction) -> BoxFuture<'c, JobOutcome> {
        let Self { body, reply, accepted } = *self;
        let work = body(transaction);
        Box::pin(async move {
            let result = work.await;
            let keep = result.is_ok();
            // A caller that is gone needs no answer.
            let announce: Announce = Box::new(move |committed| {
                let _ = reply.send(committed.map_err(E::from).and(result));
                drop(accepted);
            });
            if keep { JobOutcome::Keep(announce) } else { JobOutcome::Undo(announce) }
        })
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        let _ = self.reply.send(Err(error.into()));
    }
}
