//! What comes back from the provider: each answer goes to all attempts that wait for it.

use std::time::Duration;

use tokio::task::{Id, JoinError};

use super::Dispatcher;
use crate::{
    embedder::{EmbedError, Vector},
    requests::{
        call::{CallError, Request},
        messages::Refusal,
        pool::Item,
        under_way::Member,
    },
};

impl Dispatcher {
    pub(super) fn ended(&mut self, ended: Result<(Id, Result<Vec<Vector>, CallError>), JoinError>) {
        let (id, result) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let broken = EmbedError::crashed(format!("a request was broken off: {error}"));
                (error.id(), Err(CallError::These(Refusal { error: broken, took: Duration::ZERO })))
            }
        };
        // It is missing if no attempt waited for it any more.
        let Some((request, _)) = self.running.remove(&id) else { return };
        match result {
            Ok(vectors) => {
                for (item, vector) in request.items.iter().zip(vectors) {
                    self.recent.keep(&item.text.hash, &vector);
                    self.answer(item, &Ok(vector));
                }
            }
            Err(CallError::These(refusal)) => self.refuse_these(&request, &refusal),
            Err(CallError::All(refusal)) => {
                self.refuse(&request, &refusal);
                self.refuse_all_that_waits(&refusal);
            }
            Err(CallError::Some) => {
                let Request { items, is_part } = &*request;
                let parts = Request { items: items.clone(), is_part: *is_part }.divided();
                self.parts.extend(parts);
            }
        }
    }

    fn refuse(&mut self, request: &Request, refusal: &Refusal) {
        for item in &request.items {
            self.answer(item, &Err(refusal.clone()));
        }
    }

    /// Refuses a failed request of one article. Other attempts that wait for one of its texts do not pay for it: those
    /// texts are sent again.
    fn refuse_these(&mut self, request: &Request, refusal: &Refusal) {
        if request.items.len() == 1 {
            return self.refuse(request, refusal);
        }
        let mut again = Vec::new();
        for item in &request.items {
            let (own, others): (Vec<_>, Vec<_>) =
                self.under_way.end(&item.key()).into_iter().partition(|member| member.attempt == item.attempt);
            own.into_iter().for_each(|member| self.replies.tell(member, Err(refusal.clone())));
            if let Some(first) = others.first() {
                again.push(Item { attempt: first.attempt, ..item.clone() });
            }
            for member in others {
                self.under_way.join(item.key(), member);
            }
        }
        if !again.is_empty() {
            self.parts.push_back(Request { items: again, is_part: true });
        }
    }

    /// Refuses everything that waits, so that nothing more goes to a provider that fails: the queue decides when to try
    /// it again.
    fn refuse_all_that_waits(&mut self, refusal: &Refusal) {
        for part in std::mem::take(&mut self.parts) {
            self.refuse(&part, refusal);
        }
        for attempt in self.replies.attempts() {
            let withdrawn = self.pool.remove(attempt);
            if withdrawn > 0 {
                // One refusal is enough for all of them.
                self.replies.tell(Member { attempt, place: 0 }, Err(refusal.clone()));
                self.replies.expect_less(attempt, withdrawn - 1);
            }
        }
    }

    fn answer(&mut self, item: &Item, answer: &Result<Vector, Refusal>) {
        for member in self.under_way.end(&item.key()) {
            self.replies.tell(member, answer.clone());
        }
    }
}
