//! How many calls of one client run at once, over all of its sessions: further ones wait, and very many are refused.
//! The guards in front of a session see only that a call was received.

use super::problem::Problem;
use crate::{
    auth::Who,
    share::{SharePermit, Shares},
};

/// Running calls of one client; further ones wait.
const MAX_RUNNING: u32 = 64;
/// Running and waiting calls of one client; further ones are refused.
const MAX_ACCEPTED: u32 = 4 * MAX_RUNNING;

/// The turns of all clients. Cheap to clone.
#[derive(Clone)]
pub(super) struct Calls {
    accepted: Shares,
    running: Shares,
}

/// The turn of one call, until it is dropped.
pub(super) struct Turn {
    _accepted: SharePermit,
    _running: Option<SharePermit>,
}

impl Calls {
    /// Makes turns for clients with as many connections together.
    pub(super) fn new(connections: usize) -> Self {
        let all = u32::try_from(connections).unwrap_or(u32::MAX);
        Self { accepted: Shares::new(all.saturating_mul(4), MAX_ACCEPTED), running: Shares::new(all, MAX_RUNNING) }
    }

    /// Waits for the turn of a call of `who`.
    ///
    /// # Errors
    /// [`Problem`] if very many calls wait already.
    pub(super) async fn turn(&self, who: &Who) -> Result<Turn, Problem> {
        let busy = || {
            Problem::new(format!("too many calls at once, at most {MAX_ACCEPTED} may wait; wait for an answer first"))
        };
        let accepted = self.accepted.try_take(who, 1).ok_or_else(busy)?;
        Ok(Turn { _accepted: accepted, _running: self.running.take(who, 1).await })
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn some_run_some_wait_and_more_are_refused() {
        let calls = Calls::new(1_024);
        let (one, other) = (Who::Token(1), Who::Token(2));
        let mut running = Vec::new();
        for _ in 0..MAX_RUNNING {
            running.push(calls.turn(&one).await.expect("a turn"));
        }
        let mut waiting: Vec<_> = (MAX_RUNNING..MAX_ACCEPTED).map(|_| Box::pin(calls.turn(&one))).collect();
        for call in &mut waiting {
            assert!(matches!(futures_util::poll!(call), Poll::Pending));
        }
        assert!(calls.turn(&one).await.is_err(), "too many");
        assert!(calls.turn(&other).await.is_ok(), "of this one client");
        running.pop();
        assert!(matches!(futures_util::poll!(&mut waiting[0]), Poll::Ready(Ok(_))), "the next one's turn");
        waiting.pop();
        assert!(
            matches!(futures_util::poll!(Box::pin(calls.turn(&one))), Poll::Pending),
            "one that was given up makes room"
        );
    }
}
