//! A server that failed is not asked for a while, which grows with each failure, so that no search waits for a server
//! that is down. After that one search asks it, and all others go on without it until that one has its answer.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::remote::LONGEST_PAUSE;

/// The first rest. Each further one is twice as long.
const FIRST_REST: Duration = Duration::from_secs(2);
/// The longest rest, unless the server asks for a longer one.
const MAX_REST: Duration = Duration::from_secs(60);

/// Whether the server is left alone after a failure, and until when.
#[derive(Default)]
pub(super) struct Cooldown {
    failed: Mutex<Option<FailureStreak>>,
}

struct FailureStreak {
    why: String,
    /// How many times in a row.
    times: u32,
    until: Instant,
}

impl Cooldown {
    /// Asks to begin a request that takes at most as long as `trial`. Returns how often in a row the server had failed:
    /// its end is told with that, as others under way may have told of a failure meanwhile.
    ///
    /// # Errors
    /// Why not, and when again.
    pub(super) fn begin(&self, trial: Duration) -> Result<u32, String> {
        let now = Instant::now();
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match failed.as_mut() {
            Some(FailureStreak { why, until, .. }) if *until > now => {
                let left = (*until - now).as_secs_f64().ceil();
                Err(format!("{why}; it is asked again in {left} s"))
            }
            Some(failed) => {
                failed.until = now + trial;
                Ok(failed.times)
            }
            None => Ok(0),
        }
    }

    /// It answered as it should, and has not failed since that request was begun. Returns whether it had failed before.
    pub(super) fn worked(&self, seen: u32) -> bool {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.take_if(|failed| failed.times <= seen).is_some()
    }

    /// It did not, and perhaps asked for a pause. Requests that were under way together fail together: that is one
    /// failure, and a pause never becomes shorter. Returns whether it had worked before.
    pub(super) fn failed(&self, seen: u32, why: &str, pause: Option<Duration>) -> bool {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let told = failed.as_ref().filter(|failed| failed.times > seen);
        let times = told.map_or(seen.saturating_add(1), |told| told.times);
        let own = FIRST_REST.saturating_mul(1 << (times - 1).min(10)).min(MAX_REST);
        let until = Instant::now() + own.max(pause.unwrap_or_default()).min(LONGEST_PAUSE);
        let until = told.map_or(until, |told| until.max(told.until));
        failed.replace(FailureStreak { why: why.to_owned(), times, until }).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIAL: Duration = Duration::from_millis(800);

    #[tokio::test(start_paused = true)]
    async fn after_a_rest_one_tries_and_a_further_failure_makes_it_longer() {
        let rest = Cooldown::default();
        assert_eq!(rest.begin(TRIAL), Ok(0));
        assert!(rest.failed(0, "away", None), "it had worked");
        assert_eq!(rest.begin(TRIAL), Err("away; it is asked again in 2 s".to_owned()));
        tokio::time::advance(FIRST_REST).await;
        assert_eq!(rest.begin(TRIAL), Ok(1), "one tries");
        assert!(rest.begin(TRIAL).is_err(), "and no other");
        assert!(!rest.failed(1, "still away", None), "it had failed before");
        tokio::time::advance(FIRST_REST).await;
        assert_eq!(rest.begin(TRIAL), Err("still away; it is asked again in 2 s".to_owned()), "twice as long");
        tokio::time::advance(FIRST_REST).await;
        assert_eq!(rest.begin(TRIAL), Ok(2));
        assert!(rest.worked(2), "it had failed");
        assert!(!rest.worked(0), "which is told once");
        assert_eq!((rest.begin(TRIAL), rest.begin(TRIAL)), (Ok(0), Ok(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_has_an_end_and_a_pause_that_is_asked_for_is_given() {
        let rest = Cooldown::default();
        for seen in 0..100 {
            rest.failed(seen, "away", None);
        }
        tokio::time::advance(MAX_REST).await;
        assert_eq!(rest.begin(TRIAL), Ok(100));
        rest.failed(100, "busy", Some(2 * MAX_REST));
        tokio::time::advance(MAX_REST).await;
        assert!(rest.begin(TRIAL).is_err());
        tokio::time::advance(MAX_REST).await;
        assert_eq!(rest.begin(TRIAL), Ok(101));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_were_under_way_together_are_one_failure_and_shorten_no_pause() {
        let rest = Cooldown::default();
        for _ in 0..10 {
            rest.failed(0, "away", None);
        }
        tokio::time::advance(FIRST_REST).await;
        assert_eq!(rest.begin(TRIAL), Ok(1), "as after one");
        rest.failed(1, "busy", Some(10 * MAX_REST));
        rest.failed(1, "away", None);
        rest.worked(1);
        tokio::time::advance(9 * MAX_REST).await;
        assert!(rest.begin(TRIAL).is_err(), "it asked for a pause after those were begun");
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_that_was_given_up_leaves_room_for_another() {
        let rest = Cooldown::default();
        rest.failed(0, "away", None);
        tokio::time::advance(FIRST_REST).await;
        assert_eq!(rest.begin(TRIAL), Ok(1));
        tokio::time::advance(TRIAL).await;
        assert_eq!(rest.begin(TRIAL), Ok(1));
    }
}
