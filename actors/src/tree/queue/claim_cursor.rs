//! Where in the queue a claim begins to look.
//!
//! On PostgreSQL, a row that has been claimed leaves a dead entry in the index until the last snapshot that could see
//! it has ended. While a transaction keeps one open, claims that begin at the front pass over every task claimed since.
//! So a claim continues where the one before ended, as long as there is a backlog, and from time to time one looks at
//! everything: a row that was locked, or came late, is further to the front.

use std::time::Duration;

use tokio::time::Instant;

use crate::task::{ClaimedTask, Position};

/// The interval between looks at everything, while there is a backlog.
const FULL_LOOK_INTERVAL: Duration = Duration::from_secs(10);

/// How far the last claims have come.
pub(super) struct ClaimCursor {
    reached: Option<Position>,
    looked_at_all: Instant,
}

impl ClaimCursor {
    pub(super) fn front() -> Self {
        Self { reached: None, looked_at_all: Instant::now() }
    }

    /// Where the next claim begins; `None` for the front.
    pub(super) fn next(&self) -> Option<Position> {
        self.reached.filter(|_| self.looked_at_all.elapsed() < FULL_LOOK_INTERVAL)
    }

    /// Records what a claim of `slots` tasks that began at `from` has found. Returns whether it is worth looking again.
    pub(super) fn claimed(&mut self, from: Option<Position>, slots: usize, found: &[ClaimedTask]) -> bool {
        if from.is_none() {
            self.looked_at_all = Instant::now();
        }
        let was_full = !found.is_empty() && found.len() == slots;
        self.reached = found.iter().map(ClaimedTask::position).max().filter(|_| was_full);
        // After a full batch there may be more; after one that began in the middle there may be some at the front.
        was_full || (from.is_some() && slots > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{ClaimCursor, FULL_LOOK_INTERVAL};
    use crate::task::tests::claimed_at;

    #[tokio::test(start_paused = true)]
    async fn a_backlog_is_gone_through_from_where_it_was_reached() {
        let mut place = ClaimCursor::front();
        assert!(place.claimed(None, 2, &[claimed_at(5), claimed_at(9)]));
        assert_eq!(place.next(), Some(claimed_at(9).position()));
        tokio::time::advance(FULL_LOOK_INTERVAL).await;
        assert_eq!(place.next(), None, "everything is looked at now and then");
        assert!(place.claimed(None, 1, &[claimed_at(4)]));
        assert_eq!(place.next(), Some(claimed_at(4).position()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_backlog_leads_back_to_the_front() {
        let mut place = ClaimCursor::front();
        place.claimed(None, 1, &[claimed_at(5)]);
        assert!(place.claimed(place.next(), 2, &[claimed_at(7)]), "the front may have some");
        assert_eq!(place.next(), None);
        assert!(!place.claimed(None, 2, &[]), "nothing is left");
    }
}
