//! Whether a pool of connections carries out what it is asked for: what its last failures say about the database.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Duration, Instant};

use super::StoreError;

/// How long a failure is shown when no later success contradicts it: heartbeats and polls come more often.
const FAILURE_SHOWN_FOR: Duration = Duration::from_secs(60);
/// A wait for the lock of another process that is longer than this is reported before it fails.
const LONG_WAIT: Duration = Duration::from_secs(2);

/// What became of the last statements of one pool. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Outages(Arc<Mutex<Lately>>);

#[derive(Debug, Default)]
struct Lately {
    failure: Option<(Instant, StoreError)>,
    /// Since when the only writer waits for the lock of another process.
    waits_since: Option<Instant>,
}

impl Outages {
    /// Records that a statement has failed, or that one was carried out.
    pub(in crate::store) fn note(&self, failure: Option<&StoreError>) {
        let mut lately = self.lock();
        match failure.filter(|error| error.is_of_the_database()) {
            Some(error) => lately.failure = Some((Instant::now(), error.clone())),
            // Others got a connection before and will again: that says nothing about those that get none.
            None if matches!(lately.failure, Some((_, StoreError::NoConnection(_)))) => {}
            None => lately.failure = None,
        }
    }

    /// Records that the only writer waits for its turn among processes, until the answer is dropped.
    pub(in crate::store) fn waits(&self) -> Waiting<'_> {
        self.lock().waits_since = Some(Instant::now());
        Waiting(self)
    }

    /// How the database fails now, as far as is known.
    pub(in crate::store) fn present(&self) -> Option<StoreError> {
        let lately = self.lock();
        if lately.waits_since.is_some_and(|since| since.elapsed() > LONG_WAIT) {
            return Some(StoreError::Busy);
        }
        lately.failure.as_ref().filter(|(at, _)| at.elapsed() < FAILURE_SHOWN_FOR).map(|(_, error)| error.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Lately> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the wait when it is dropped.
pub(in crate::store) struct Waiting<'a>(&'a Outages);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waits_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_told_until_something_is_carried_out_and_a_lack_of_connections_for_a_while() {
        let outages = Outages::default();
        let cut = StoreError::Unreachable("cut".to_owned());
        outages.note(Some(&cut));
        assert_eq!(outages.present(), Some(cut.clone()));
        outages.note(Some(&StoreError::Constraint("the row".to_owned())));
        assert_eq!(outages.present(), None, "a row that is refused was looked at");
        let none = StoreError::NoConnection("all in use".to_owned());
        outages.note(Some(&none));
        outages.note(None);
        assert_eq!(outages.present(), Some(none), "others have one");
        tokio::time::advance(FAILURE_SHOWN_FOR).await;
        assert_eq!(outages.present(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_wait_for_another_process_is_told_before_it_has_failed() {
        let outages = Outages::default();
        let waiting = outages.waits();
        assert_eq!(outages.present(), None);
        tokio::time::advance(LONG_WAIT * 2).await;
        assert_eq!(outages.present(), Some(StoreError::Busy));
        drop(waiting);
        assert_eq!(outages.present(), None);
    }
}
