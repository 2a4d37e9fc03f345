//! Requests to the provider of one model, shared by the attempts of a host.
//!
//! An attempt brings the texts of one article and gets their vectors one by one; this module decides which texts travel
//! together. A request carries texts of all articles that are being processed, up to the limits of the embedder, and as
//! many run at the same time as [`Embedder::requests`] says. If it returns `None`, each attempt sends requests of its
//! own.
//!
//! - `pool`: which text goes next; `under_way`: which have been sent; `recent`: which were answered a moment ago; all
//!   pure
//! - `dispatcher`: the task that sends requests and distributes their results
//! - `messages`: what attempts and the dispatcher say to each other; `replies`: where the answers go
//! - `turn`: when the next one may be sent
//! - `call`: one request, and what its failure means for its texts
//!
//! Knows no task, no row and no article.

mod call;
mod dispatcher;
mod entry;
mod messages;
mod pool;
mod recent;
mod replies;
#[cfg(test)]
mod tests;
mod turn;
mod under_way;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::mpsc;

use self::{
    dispatcher::{Dispatcher, Running},
    messages::Message,
};
use crate::embedder::{BatchLimits, Embedder};

pub(crate) use entry::{Entry, RefusedText};
pub(crate) use messages::{Refusal, RequestRank, Text};

/// The requests of one model.
pub(crate) struct Requests {
    embedder: Arc<dyn Embedder>,
    attempts: AtomicU64,
    /// Most requests at the same time, even if the embedder allows more.
    most: usize,
    /// Started by the first attempt, and again by the next one if it has died.
    dispatcher: Mutex<Option<Running>>,
}

impl Requests {
    /// Allows as many requests at the same time as `embedder` does, and at most `most`.
    pub(crate) fn new(embedder: Arc<dyn Embedder>, most: usize) -> Arc<Self> {
        Arc::new(Self { embedder, attempts: AtomicU64::default(), most, dispatcher: Mutex::default() })
    }

    /// Returns how much one request may carry now.
    pub(crate) fn limits(&self) -> BatchLimits {
        self.embedder.limits()
    }

    /// Whether the provider embeds a harmless text now.
    pub(crate) async fn provider_works(&self) -> bool {
        call::probe(self.embedder.as_ref()).await.is_ok()
    }

    /// Announces an attempt that may bring texts soon: a request with room left waits a little for it.
    pub(crate) fn enter(&self, rank: RequestRank) -> Entry {
        let id = self.attempts.fetch_add(1, Ordering::Relaxed);
        match self.embedder.requests() {
            Some(most) => Entry::new(id, rank, self.messages(most.min(self.most)), None),
            None => {
                let own = self.run(1);
                Entry::new(id, rank, own.messages.clone(), Some(own))
            }
        }
    }

    /// Forgets recent answers, because the database did not take them.
    pub(crate) fn forget(&self) {
        if let Some(running) = &*self.dispatcher.lock().unwrap_or_else(PoisonError::into_inner) {
            // A dispatcher that has died has forgotten.
            let _ = running.messages.send(Message::Forget);
        }
    }

    fn messages(&self, most: usize) -> mpsc::UnboundedSender<Message> {
        let mut dispatcher = self.dispatcher.lock().unwrap_or_else(PoisonError::into_inner);
        match &*dispatcher {
            Some(running) if !running.messages.is_closed() => running.messages.clone(),
            Some(_) | None => dispatcher.insert(self.run(most)).messages.clone(),
        }
    }

    fn run(&self, most: usize) -> Running {
        Dispatcher::start(Arc::clone(&self.embedder), most)
    }
}
