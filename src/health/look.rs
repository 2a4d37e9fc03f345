//! One look at every part.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use afterword_actors::{
    ActorState, ActorStatus, RuntimeHandle,
    store::{
        StoreError,
        stats::{self, QueueStats},
    },
};

use super::{Finding, Health};
use crate::{embedding::ModelState, host::Host, time::duration};

/// A database that takes longer over a small question is not well.
const PATIENCE: Duration = Duration::from_secs(2);
/// How far back restarts count.
const SPAN: Duration = Duration::from_secs(3600);

pub(super) async fn at_everything(health: &Health, host: &Host, runtime: &RuntimeHandle, restarts: &mut Restarts) {
    let (stats, tree) = tokio::join!(statistics(host), runtime.status());
    let stats = match stats {
        Ok(stats) => {
            health.note("database", Finding::ready());
            Some(stats)
        }
        Err(error) => {
            health.note("database", Finding::unready(error.to_string()));
            None
        }
    };
    if let Some(stats) = stats {
        health.note("queue", queue(&stats, host.settings().health.oldest_due));
    }
    health.note("model", model(host));
    health.note("provider", provider(tree.as_ref()));
    health.note("runtime", actors(tree.as_ref(), restarts, host.settings().health.restarts));
}

async fn statistics(host: &Host) -> Result<QueueStats, StoreError> {
    let asked = tokio::time::timeout(PATIENCE, stats::queue(host.database.reader()));
    asked.await.unwrap_or_else(|_| Err(StoreError::Unreachable(format!("no answer within {PATIENCE:?}"))))
}

fn queue(stats: &QueueStats, oldest_due: Duration) -> Finding {
    let due = stats.oldest_due_ms.unwrap_or(0);
    if stats.paused {
        return Finding::note("paused; `afterword queue resume` lets it go on");
    }
    if u128::try_from(due).unwrap_or(0) > oldest_due.as_millis() {
        let waiting = stats.pending - stats.delayed;
        return Finding::degraded(format!("{waiting} tasks are due, one of them for {}", duration(due)));
    }
    Finding::ready()
}

fn model(host: &Host) -> Finding {
    let Some(local) = host.backends.provisioning() else { return Finding::ready() };
    match &*local.embedder.state().borrow() {
        ModelState::Ready => Finding::ready(),
        ModelState::Coming(how) => Finding::degraded(format!("{how}; until then words are searched, not meanings")),
        ModelState::Failed(why) => Finding::degraded(format!("{why}; until then words are searched, not meanings")),
    }
}

/// The circuit of the provider is the QueueActor's.
fn provider(tree: Option<&ActorStatus>) -> Finding {
    let actors = tree.map(ActorStatus::walk).unwrap_or_default();
    let queue = actors.into_iter().find(|actor| actor.name == "QueueActor" && actor.state == ActorState::Degraded);
    match queue.and_then(|actor| actor.last_error.clone()) {
        Some(error) => Finding::degraded(error),
        None => Finding::ready(),
    }
}

fn actors(tree: Option<&ActorStatus>, restarts: &mut Restarts, most: u64) -> Finding {
    let Some(tree) = tree else { return Finding::unready("the root of the actor tree does not answer") };
    let all = tree.walk();
    let named = |state| all.iter().find(|actor| actor.state == state);
    if let Some(failed) = named(ActorState::Failed) {
        let why = failed.last_error.as_deref().unwrap_or("no reason recorded");
        return Finding::unready(format!("{} has ended too often: {why}", failed.name));
    }
    if let Some(silent) = named(ActorState::Unresponsive) {
        return Finding::degraded(format!("{} does not answer", silent.name));
    }
    let recent = restarts.within_the_hour(all.iter().map(|actor| actor.restarts).sum(), Instant::now());
    if recent > most {
        return Finding::degraded(format!("actors were started again {recent} times within the hour"));
    }
    Finding::ready()
}

/// What the count of restarts was at each look of the last hour.
#[derive(Default)]
pub(super) struct Restarts {
    looks: VecDeque<(Instant, u64)>,
}

impl Restarts {
    fn within_the_hour(&mut self, total: u64, now: Instant) -> u64 {
        while self.looks.len() > 1 && self.looks.front().is_some_and(|(at, _)| now.duration_since(*at) > SPAN) {
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
