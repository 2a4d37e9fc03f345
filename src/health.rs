//! The health of a server: alive and ready are different, and each part says since when it has been in trouble.
//!
//! A monitor checks every part at an interval and whenever it is asked; no request waits for a part that hangs. What
//! takes longer is examined on demand.

pub mod diagnosis;
pub mod examination;
mod look;
mod waiting;
mod watch;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::api::Timestamp;
pub use crate::api::{Part, Report, State};
pub use diagnosis::Finding;
pub use look::HealthSources;
pub use waiting::{NO_HOST, PAUSED, unattended_build, why_a_build_waits, why_tasks_wait};

/// Watches a server. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<&'static str, Part>>>,
}

impl Health {
    /// Returns the state of every part at the last look.
    pub fn report(&self) -> Report {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let state = parts.values().map(|part| part.state).max().unwrap_or(State::Unready);
        Report { state, parts }
    }

    pub(crate) fn note(&self, finding: Finding) {
        let Finding { part: name, state, detail, expected } = finding;
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match parts.get(name) {
            Some(part) if part.state == state => part.since,
            Some(_) | None => {
                match state {
                    State::Ready if parts.contains_key(name) => tracing::info!(part = name, "working normally again"),
                    State::Ready => {}
                    State::Degraded | State::Unready if expected => {
                        tracing::info!(part = name, "{}", detail.as_deref().unwrap_or_default())
                    }
                    State::Degraded | State::Unready => tracing::warn!(part = name, ?state, detail, "not well"),
                }
                now()
            }
        };
        parts.insert(name, Part { state, since, detail });
    }
}

/// The time by this host's clock, because the database may be in trouble.
fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_part_decides_and_each_says_since_when() {
        let health = Health::default();
        assert_eq!(health.report().state, State::Unready, "nothing has been looked at");
        health.note(Finding::ready("database"));
        health.note(Finding::degraded("provider", "away"));
        let first = health.report();
        assert_eq!(first.state, State::Degraded);
        health.note(Finding::degraded("provider", "still away"));
        let second = health.report();
        assert_eq!(second.parts["provider"].since, first.parts["provider"].since);
        assert_eq!(second.parts["provider"].detail.as_deref(), Some("still away"));
        health.note(Finding::unready("database", "gone"));
        assert_eq!(health.report().state, State::Unready);
        health.note(Finding::ready("database"));
        health.note(Finding::ready("provider"));
        assert_eq!(health.report().state, State::Ready);
    }
}
