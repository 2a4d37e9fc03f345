//! Where the answers of each attempt go, and how many are still to come. Pure but for the sending.

use std::collections::HashMap;

use tokio::sync::mpsc;

use super::{
    messages::{Answer, Refusal},
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
    open: usize,
}

impl Replies {
    /// `attempt` waits for so many answers.
    pub(super) fn expect(&mut self, attempt: u64, to: mpsc::UnboundedSender<Answer>, answers: usize) {
        self.attempts.insert(attempt, Reply { to, open: answers });
    }

    /// Those that wait.
    pub(super) fn attempts(&self) -> Vec<u64> {
        self.attempts.keys().copied().collect()
    }

    /// `attempt` waits no more; answers whether it did.
    pub(super) fn leave(&mut self, attempt: u64) -> bool {
        self.attempts.remove(&attempt).is_some()
    }

    /// One answer. With the last one, the attempt waits no more.
    pub(super) fn tell(&mut self, Member { attempt, place }: Member, answer: Result<Vector, Refusal>) {
        if let Some(reply) = self.attempts.get(&attempt) {
            let _ = reply.to.send((place, answer));
            self.expect_less(attempt, 1);
        }
    }

    /// So many answers will not come.
    pub(super) fn expect_less(&mut self, attempt: u64, answers: usize) {
        if let Some(reply) = self.attempts.get_mut(&attempt) {
            reply.open -= answers;
            if reply.open == 0 {
                self.attempts.remove(&attempt);
            }
        }
    }
}
