//! One check of every part.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use afterword_actors::{
    RuntimeHandle, RuntimeStatus,
    store::{
        Database, StoreError,
        stats::{self, QueueStats},
    },
};

use super::{Finding, Health, diagnosis, waiting};
use crate::config;

/// A database that takes longer to answer a small query is in trouble.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);
/// The period in which restarts count.
const RESTARTS_PERIOD: Duration = Duration::from_secs(3600);
/// The parts that are checked here.
const PARTS: [&str; 5] = ["database", "model", "provider", "queue", "runtime"];

/// What is checked.
#[derive(Clone)]
pub struct HealthSources {
    /// The database.
    pub database: Database,
    /// The runtime of this process.
    pub runtime: RuntimeHandle,
    /// How often, and the limits.
    pub settings: config::Health,
}

pub(super) async fn at_everything(health: &Health, watched: &HealthSources, restarts: &mut Restarts) {
    let HealthSources { database, runtime, settings } = watched;
    let (stats, status) = tokio::join!(statistics(database), runtime.status());
    let mut findings: Vec<_> = status.iter().flat_map(|status| &status.trouble).map(diagnosis::of_trouble).collect();
    let all = status.as_ref().map(RuntimeStatus::walk).unwrap_or_default();
    let recent = restarts.within_the_hour(all.iter().map(|actor| actor.restarts).sum(), Instant::now());
    findings.push(diagnosis::of_actors(status.as_ref(), recent, settings.restarts));
    findings.extend(database.check_in_place().err().map(|error| Finding::unready("database", error.to_string())));
    findings.extend(database.present_outage().map(|error| Finding::degraded("database", error.to_string())));
    let queue_is_known = stats.is_ok();
    if queue_is_known {
        findings.extend(in_time(waiting::unattended_build(database)).await.unwrap_or_default());
    }
    findings.push(match stats {
        Ok(stats) => diagnosis::of_queue(&stats, settings.oldest_due),
        Err(error) => Finding::unready("database", error.to_string()),
    });
    for part in PARTS {
        let worst = findings.iter().filter(|finding| finding.part == part).max_by_key(|finding| finding.state);
        match worst {
            Some(finding) => health.note(finding.clone()),
            // Unknown now, so its last state stays.
            None if part == "queue" && !queue_is_known => {}
            None => health.note(Finding::ready(part)),
        }
    }
}

async fn statistics(database: &Database) -> Result<QueueStats, StoreError> {
    in_time(stats::queue(database.reader())).await.unwrap_or_else(Err)
}

/// The answer of `statement`, unless the database takes too long.
async fn in_time<T>(statement: impl Future<Output = T>) -> Result<T, StoreError> {
    let late = |_| StoreError::Unreachable(format!("no answer within {DATABASE_TIMEOUT:?}"));
    tokio::time::timeout(DATABASE_TIMEOUT, statement).await.map_err(late)
}

/// The counts of restarts in the last hour, with an entry for each change.
#[derive(Default)]
pub(super) struct Restarts {
    looks: VecDeque<(Instant, u64)>,
}

impl Restarts {
    fn within_the_hour(&mut self, total: u64, now: Instant) -> u64 {
        while self.looks.len() > 1
            && self.looks.front().is_some_and(|(at, _)| now.duration_since(*at) > RESTARTS_PERIOD)
        {
            self.looks.pop_front();
        }
        if self.looks.back().is_none_or(|(_, last)| *last != total) {
            self.looks.push_back((now, total));
        }
        let before = self.looks.front().map_or(total, |(_, first)| *first);
        total.saturating_sub(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_count_for_an_hour() {
        let (mut restarts, began) = (Restarts::default(), Instant::now());
        let minutes = |count: u32| began + count * Duration::from_secs(60);
        assert_eq!(restarts.within_the_hour(0, began), 0);
        assert_eq!(restarts.within_the_hour(3, minutes(10)), 3);
        assert_eq!(restarts.within_the_hour(5, minutes(50)), 5);
        assert_eq!(restarts.within_the_hour(5, minutes(65)), 2, "the first three are older than the oldest look kept");
        assert_eq!(restarts.within_the_hour(5, minutes(200)), 0);
    }
}
