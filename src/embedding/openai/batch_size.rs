//! How many texts a request carries: what the settings allow, less what the server has refused. Pure.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Full requests that the server takes before a larger one is tried.
const GROW_AFTER: u32 = 16;
/// A size that was refused is not tried again before this.
const REFUSAL_HOLDS: Duration = Duration::from_secs(600);

/// The size of requests: it shrinks after refusals and grows after successes, so that a limit that was learnt wrongly,
/// or was raised since, does not last until the restart.
#[derive(Debug)]
pub(super) struct BatchSize {
    /// What the settings allow.
    most: usize,
    learnt: Mutex<LearntSize>,
}

#[derive(Debug)]
struct LearntSize {
    size: usize,
    /// The smallest size known to be refused, and when.
    refused: Option<(usize, Instant)>,
    /// Full requests taken since `size` last changed.
    full: u32,
}

impl BatchSize {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { most, learnt: Mutex::new(LearntSize { size: most, refused: None, full: 0 }) }
    }

    /// Texts that a request may carry now, at least 1.
    pub(super) fn get(&self) -> usize {
        self.learnt().size
    }

    /// Notes that the server took a request of `texts` texts at `now`.
    pub(super) fn accepted(&self, texts: usize, now: Instant) {
        let mut learnt = self.learnt();
        if texts < learnt.size || learnt.size == self.most {
            return;
        }
        learnt.full += 1;
        if learnt.full < GROW_AFTER {
            return;
        }
        let larger = (learnt.size * 2).min(self.most);
        match learnt.refused {
            Some((refused, at)) if larger >= refused && now.duration_since(at) < REFUSAL_HOLDS => {}
            Some(_) | None => {
                learnt.size = larger;
                learnt.full = 0;
            }
        }
    }

    /// Notes that the server refused `refused` texts for their number, and took `fits` of them at a time.
    pub(super) fn refused(&self, refused: usize, fits: usize, now: Instant) {
        let mut learnt = self.learnt();
        let smaller = fits.clamp(1, learnt.size);
        if smaller < learnt.size {
            tracing::info!(from = learnt.size, to = smaller, "the embedding server takes fewer texts in a request");
        }
        *learnt = LearntSize { size: smaller, refused: Some((refused, now)), full: 0 };
    }

    fn learnt(&self) -> std::sync::MutexGuard<'_, LearntSize> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_limit_holds_for_a_while_and_is_then_tried_again() {
        let size = BatchSize::new(32);
        size.refused(32, 8, Instant::now());
        assert_eq!(size.get(), 8);
        let send = |texts, count| (0..count).for_each(|_| size.accepted(texts, Instant::now()));
        send(8, GROW_AFTER);
        assert_eq!(size.get(), 16, "smaller than what was refused");
        send(16, 10 * GROW_AFTER);
        assert_eq!(size.get(), 16, "the refusal of 32 holds");
        tokio::time::advance(REFUSAL_HOLDS).await;
        send(16, 1);
        assert_eq!(size.get(), 32);
        size.refused(32, 16, Instant::now());
        assert_eq!(size.get(), 16);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_are_not_full_say_nothing_about_larger_ones() {
        let size = BatchSize::new(32);
        size.refused(32, 8, Instant::now());
        (0..1000).for_each(|_| size.accepted(3, Instant::now()));
        assert_eq!(size.get(), 8);
    }
}
