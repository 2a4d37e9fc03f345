//! Where the answers of each attempt go, and how many are still to come. Pure except for the sending.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::{Notify, mpsc};

use super::{
    messages::{Answer, Ask, Refusal, Text},
    under_way::Member,
};
use crate::embedder::Vector;

/// Attempts that wait for answers.
#[derive(Default)]
pub(super) struct Replies {
    attempts: HashMap<u64, Reply>,
}

struct Reply {
    to: mpsc::UnboundedSender<Answer>,
    begun: Arc<Notify>,
    open: usize,
}

impl Replies {
    /// Registers that the attempt waits for answers to all texts of `ask`; returns these.
    pub(super) fn expect(&mut self, Ask { id, texts, reply, begun, .. }: Ask) -> Vec<Arc<Text>> {
        self.attempts.insert(id, Reply { to: reply, begun, open: texts.len() });
        texts
    }

    /// Tells `attempt` that a text of it has had its turn.
    pub(super) fn begin(&self, attempt: u64) {
        if let Some(reply) = self.attempts.get(&attempt) {
            reply.begun.notify_one();
        }
    }

    /// The attempts that wait.
    pub(super) fn attempts(&self) -> Vec<u64> {
        self.attempts.keys().copied().collect()
    }

    /// Removes `attempt`; returns whether it waited.
    pub(super) fn leave(&mut self, attempt: u64) -> bool {
        self.attempts.remove(&attempt).is_some()
    }

    /// Sends one answer. After the last one, the attempt is removed.
    pub(super) fn tell(&mut self, Member { attempt, place }: Member, answer: Result<Vector, Refusal>) {
        if let Some(reply) = self.attempts.get(&attempt) {
            let _ = reply.to.send((place, answer));
            self.expect_less(attempt, 1);
        }
    }

    /// Expects `answers` fewer.
    pub(super) fn expect_less(&mut self, attempt: u64, answers: usize) {
        if let Some(reply) = self.attempts.get_mut(&attempt) {
            reply.open -= answers;
            if reply.open == 0 {
                self.attempts.remove(&attempt);
            }
        }
    }
}
