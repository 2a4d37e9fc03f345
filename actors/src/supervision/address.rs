//! Where an actor is found, whichever of its lives it is in.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ractor::{ActorRef, Message, RpcReplyPort};
use tokio::sync::watch;

/// How long a question to an actor may take. Longer means that the actor is stuck, and that is the answer.
pub(crate) const ASK_TIMEOUT: Duration = Duration::from_secs(2);

/// A place whose tenant changes at a restart. Sending to an empty place drops the message: messages are hints, rows
/// are the truth.
pub(crate) struct Address<M> {
    tenant: Arc<watch::Sender<Option<ActorRef<M>>>>,
    /// Messages sent and not yet taken up.
    waiting: Arc<AtomicUsize>,
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self { tenant: Arc::clone(&self.tenant), waiting: Arc::clone(&self.waiting) }
    }
}

impl<M: Message> Address<M> {
    pub(crate) fn empty() -> Self {
        Self { tenant: Arc::new(watch::Sender::new(None)), waiting: Arc::default() }
    }

    /// A new life begins, with an empty mailbox.
    pub(crate) fn enter(&self, actor: ActorRef<M>) {
        self.waiting.store(0, Ordering::Relaxed);
        self.tenant.send_replace(Some(actor));
    }

    pub(crate) fn leave(&self) {
        self.tenant.send_replace(None);
    }

    pub(crate) fn tenant(&self) -> Option<ActorRef<M>> {
        self.tenant.borrow().clone()
    }

    /// Sends, answering whether somebody was there to take it.
    pub(crate) fn send(&self, message: M) -> bool {
        let Some(actor) = self.tenant() else { return false };
        self.waiting.fetch_add(1, Ordering::Relaxed);
        actor.send_message(message).is_ok()
    }

    /// Asks; `None` if nobody is there or no answer came in [`ASK_TIMEOUT`].
    pub(crate) async fn ask<T: Send + 'static>(&self, question: impl FnOnce(RpcReplyPort<T>) -> M) -> Option<T> {
        self.ask_for(question, ASK_TIMEOUT).await
    }

    /// As [`Address::ask`], with a time-out of its own.
    pub(crate) async fn ask_for<T: Send + 'static>(
        &self,
        question: impl FnOnce(RpcReplyPort<T>) -> M,
        timeout: Duration,
    ) -> Option<T> {
        let (port, answer) = ractor::concurrency::oneshot();
        if !self.send(question(port.into())) {
            return None;
        }
        tokio::time::timeout(timeout, answer).await.ok()?.ok()
    }

    /// Notes that the tenant takes up a message.
    pub(crate) fn taken(&self) {
        let _ = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
    }

    /// Messages sent and not yet taken up.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}
