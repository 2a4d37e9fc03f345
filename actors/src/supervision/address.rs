//! A stable address of an actor across its restarts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ractor::{ActorRef, Message, RpcReplyPort};
use tokio::sync::watch;

/// How long a question to an actor may take. An actor that takes longer is stuck, and is reported as such.
pub(crate) const ASK_TIMEOUT: Duration = Duration::from_secs(2);

/// An address that gets a new actor at a restart. Sending to an address without an actor drops the message: messages
/// are hints, rows are the truth.
pub(crate) struct Address<M> {
    tenant: Arc<watch::Sender<Option<ActorRef<M>>>>,
    /// Messages sent and not yet handled.
    waiting: Arc<AtomicUsize>,
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self { tenant: Arc::clone(&self.tenant), waiting: Arc::clone(&self.waiting) }
    }
}

/// An address without an actor.
impl<M> Default for Address<M> {
    fn default() -> Self {
        Self { tenant: Arc::new(watch::Sender::new(None)), waiting: Arc::default() }
    }
}

/// What a supervisor does with the address of a child, whatever its messages are.
pub(crate) trait Mailbox {
    /// Removes the actor.
    fn leave(&self);

    /// Messages sent and not yet handled.
    fn waiting(&self) -> usize;
}

impl<M: Message> Mailbox for Address<M> {
    fn leave(&self) {
        self.tenant.send_replace(None);
    }

    fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl<M: Message> Address<M> {
    /// Enters a new actor, with an empty mailbox.
    pub(crate) fn enter(&self, actor: ActorRef<M>) {
        self.waiting.store(0, Ordering::Relaxed);
        self.tenant.send_replace(Some(actor));
    }

    pub(crate) fn tenant(&self) -> Option<ActorRef<M>> {
        self.tenant.borrow().clone()
    }

    /// Sends; returns whether an actor was there to take it.
    pub(crate) fn send(&self, message: M) -> bool {
        let Some(actor) = self.tenant() else { return false };
        self.waiting.fetch_add(1, Ordering::Relaxed);
        actor.send_message(message).is_ok()
    }

    /// Asks; `None` if there is no actor or no answer within [`ASK_TIMEOUT`].
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

    /// Records that the actor begins to handle a message.
    pub(crate) fn taken(&self) {
        let _ = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
    }
}
