//! Checks every part repeatedly.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{
    Finding, Health,
    look::{self, HealthSources},
};

impl Health {
    /// Checks every part for the first time.
    pub async fn begin(watched: &HealthSources) -> Self {
        let health = Self::default();
        look::at_everything(&health, watched, &mut look::Restarts::default()).await;
        health.note(Finding::ready("server"));
        health
    }

    /// Checks every part until `stopping`; from then on the server is not ready.
    pub async fn watch(self, watched: HealthSources, stopping: CancellationToken) {
        let mut restarts = look::Restarts::default();
        let mut tick = tokio::time::interval(watched.settings.interval.max(Duration::from_millis(10)));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopping.cancelled() => break,
                _ = tick.tick() => look::at_everything(&self, &watched, &mut restarts).await,
            }
        }
        self.note(Finding::unready("server", "the server is stopping"));
    }
}
