//! How often a child may be restarted, and how soon.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::{backoff::Backoff, settings::RestartSettings};

/// The restarts of one child.
#[derive(Debug)]
pub(crate) struct Restarts {
    settings: RestartSettings,
    backoff: Backoff,
    recent: VecDeque<Instant>,
    total: u64,
}

/// What to do about a child that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RestartDecision {
    /// Start it again after this delay.
    Restart(Duration),
    /// Restart limit exceeded: escalate, and try again after this delay.
    Escalate(Duration),
}

impl Restarts {
    pub(crate) fn new(settings: RestartSettings) -> Self {
        Self { settings, backoff: Backoff::new(settings.delays), recent: VecDeque::new(), total: 0 }
    }

    /// Records that the child ended at `now`; returns what to do.
    pub(crate) fn decide(&mut self, now: Instant) -> RestartDecision {
        while self.recent.front().is_some_and(|&at| now.duration_since(at) > self.settings.window) {
            self.recent.pop_front();
        }
        if self.recent.is_empty() {
            self.backoff.reset();
        }
        self.recent.push_back(now);
        self.total += 1;
        if self.recent.len() > self.settings.intensity as usize {
            return RestartDecision::Escalate(self.settings.window);
        }
        RestartDecision::Restart(self.backoff.next_delay())
    }

    /// The number of all restarts.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Delays;

    fn settings() -> RestartSettings {
        RestartSettings {
            intensity: 3,
            window: Duration::from_secs(60),
            delays: Delays { base: Duration::from_millis(100), max: Duration::from_secs(5) },
        }
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_the_intensity_within_the_window_escalates() {
        let mut restarts = Restarts::new(settings());
        for _ in 0..3 {
            assert!(matches!(restarts.decide(Instant::now()), RestartDecision::Restart(_)));
        }
        assert_eq!(restarts.decide(Instant::now()), RestartDecision::Escalate(Duration::from_secs(60)));
    }

    #[tokio::test(start_paused = true)]
    async fn old_restarts_are_forgotten() {
        let mut restarts = Restarts::new(settings());
        for _ in 0..12 {
            assert!(matches!(restarts.decide(Instant::now()), RestartDecision::Restart(_)));
            tokio::time::advance(Duration::from_secs(25)).await;
        }
        assert_eq!(restarts.total(), 12);
    }
}
