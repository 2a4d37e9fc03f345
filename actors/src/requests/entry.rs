//! An attempt's access to the dispatcher.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Notify, mpsc};

use super::{
    dispatcher::Running,
    messages::{Ask, Message, Refusal, RequestRank, Text},
};
use crate::embedder::{EmbedError, Vector};

/// One attempt. Dropping it withdraws what has not been sent, and aborts requests that no other attempt waits for.
pub(crate) struct Entry {
    id: u64,
    rank: RequestRank,
    messages: mpsc::UnboundedSender<Message>,
    /// Notified when a text of it has had its turn.
    begun: Arc<Notify>,
    /// A dispatcher that no other attempt uses, if the embedder does not share requests.
    _own: Option<Running>,
}

/// The first text that was refused, given by its index.
#[derive(Debug)]
pub(crate) struct RefusedText {
    pub(crate) place: usize,
    pub(crate) refusal: Refusal,
}

impl Entry {
    pub(super) fn new(
        id: u64,
        rank: RequestRank,
        messages: mpsc::UnboundedSender<Message>,
        own: Option<Running>,
    ) -> Self {
        let entry = Self { id, rank, messages, begun: Arc::default(), _own: own };
        entry.send(Message::Entered(id));
        entry
    }

    /// Embeds `texts`, and passes each vector to `each` as it arrives, with the index of its text.
    ///
    /// # Errors
    /// [`RefusedText`]: nothing more was sent after the first refusal, and answers to what had been sent were awaited.
    pub(crate) async fn embed(
        &self,
        texts: Vec<Arc<Text>>,
        mut each: impl FnMut(usize, Vector),
    ) -> Result<(), RefusedText> {
        let mut left = texts.len();
        let (reply, mut answers) = mpsc::unbounded_channel();
        let begun = Arc::clone(&self.begun);
        self.send(Message::Asked(Ask { id: self.id, rank: self.rank, texts, reply, begun }));
        let mut refused = None;
        while let Some((place, answer)) = answers.recv().await {
            left -= 1;
            match answer {
                Ok(vector) => each(place, vector),
                Err(refusal) if refused.is_none() => {
                    refused = Some(RefusedText { place, refusal });
                    self.send(Message::NoMore(self.id));
                }
                Err(_) => {}
            }
        }
        match refused {
            Some(refused) => Err(refused),
            None if left == 0 => Ok(()),
            None => Err(RefusedText { place: 0, refusal: died() }),
        }
    }

    /// Runs `work`, which embeds by this entry; returns `None` if it takes longer than `limit` after its first text has
    /// had its turn. Waiting for others is no fault of the article: at a text of theirs the provider may hang.
    pub(crate) async fn limited<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        let over = async {
            self.begun.notified().await;
            tokio::time::sleep(limit).await;
        };
        tokio::select! {
            biased;
            done = work => Some(done),
            () = over => None,
        }
    }

    fn send(&self, message: Message) {
        // If the dispatcher has died, the channel of answers closes, which is noticed there.
        let _ = self.messages.send(message);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.send(Message::Left(self.id));
    }
}

fn died() -> Refusal {
    let error = EmbedError::transient("the requests of this host were broken off");
    Refusal { error, took: Duration::ZERO }
}
