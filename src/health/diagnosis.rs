//! From facts to findings: what is wrong with a deployment and what to do about it, in one place for every door. Facts
//! are data; here, and nowhere else, they become a judgement. The words for a trouble of the runtime are its `Display`.

use std::time::Duration;

use afterword_actors::{ActorState, RuntimeStatus, Trouble, embedder::ErrorKind, store::stats::QueueStats};

use crate::api::State;
use crate::{hosts::LivingHost, time::duration};

/// Slots without a worker for longer than this are not about to get one. *Units:* milliseconds.
const LONG_EMPTY: u64 = 5_000;

/// The finding about one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `database`, `model`, `provider`, `queue`, `runtime`, `server` or `folders`.
    pub part: &'static str,
    /// Its health.
    pub state: State,
    /// What is wrong, and what to do.
    pub detail: Option<String>,
    /// Whether it is a stage of a normal start, and worth no warning.
    pub expected: bool,
}

impl Finding {
    pub(crate) fn ready(part: &'static str) -> Self {
        Self { part, state: State::Ready, detail: None, expected: false }
    }

    pub(crate) fn note(part: &'static str, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::ready(part) }
    }

    pub(crate) fn degraded(part: &'static str, detail: impl Into<String>) -> Self {
        Self { state: State::Degraded, ..Self::note(part, detail) }
    }

    pub(crate) fn unready(part: &'static str, detail: impl Into<String>) -> Self {
        Self { state: State::Unready, ..Self::note(part, detail) }
    }

    fn expected(part: &'static str, detail: impl Into<String>) -> Self {
        Self { expected: true, ..Self::degraded(part, detail) }
    }
}

/// Interprets one trouble of a runtime.
pub fn of_trouble(trouble: &Trouble) -> Finding {
    let detail = trouble.to_string();
    match trouble {
        Trouble::Provider { .. } => Finding::degraded("provider", detail),
        Trouble::ProviderInUse { kind: ErrorKind::Config, .. } => Finding::degraded(
            "provider",
            format!("{detail} (the key of a server of former settings is embedding.openai.former_api_key)"),
        ),
        Trouble::ProviderInUse { .. } => Finding::degraded("provider", detail),
        Trouble::Database { .. } => Finding::degraded("database", detail),
        Trouble::Loading { .. } => {
            Finding::expected("model", format!("{detail}; until then searches are by words only"))
        }
        Trouble::Model { .. } => Finding::degraded("model", format!("{detail}; until then searches are by words only")),
        Trouble::Unwanted { .. } => Finding::degraded("model", detail),
        Trouble::NotInEffect { .. } => Finding::note("model", detail),
        Trouble::Slots { for_ms, .. } if *for_ms < LONG_EMPTY => Finding::ready("runtime"),
        Trouble::Slots { filled: 0, .. } => Finding::unready("runtime", detail),
        Trouble::Slots { .. } => Finding::degraded("runtime", detail),
        other => Finding::degraded("runtime", other.to_string()),
    }
}

/// Returns what keeps these hosts from their work, the worst first; nothing if they work.
pub fn of_hosts(hosts: &[LivingHost]) -> Vec<Finding> {
    let findings = hosts.iter().flat_map(|host| &host.trouble).map(of_trouble);
    let mut findings: Vec<_> = findings.filter(|finding| finding.state != State::Ready).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse((finding.state, !finding.expected)));
    findings.dedup_by(|one, other| one.part == other.part);
    findings
}

/// Judges the actors: `recent` restarts within the hour, of which up to `most` do not matter.
pub fn of_actors(runtime: Option<&RuntimeStatus>, recent: u64, most: u64) -> Finding {
    let part = "runtime";
    let Some(runtime) = runtime else { return Finding::unready(part, "the root of the actor tree does not answer") };
    let all = runtime.walk();
    let named = |state| all.iter().find(|actor| actor.state == state);
    if let Some(failed) = named(ActorState::Failed) {
        let why = failed.last_error.as_deref().unwrap_or("no reason recorded");
        return Finding::unready(part, format!("{} has ended too often: {why}", failed.name));
    }
    if let Some(silent) = named(ActorState::Unresponsive) {
        return Finding::degraded(part, format!("{} does not answer", silent.name));
    }
    if recent > most {
        return Finding::degraded(part, format!("actors were started again {recent} times within the hour"));
    }
    Finding::ready(part)
}

/// Checks whether tasks wait longer than `oldest_due`.
pub fn of_queue(stats: &QueueStats, oldest_due: Duration) -> Finding {
    let part = "queue";
    if stats.paused {
        return Finding::note(part, "paused; `afterword queue resume` ends the pause");
    }
    let due = stats.oldest_due_ms.unwrap_or(0);
    if u128::try_from(due).unwrap_or(0) > oldest_due.as_millis() {
        let waiting = stats.pending - stats.delayed;
        return Finding::degraded(
            part,
            format!(
                "{waiting} {} due, one of them for {}; see `afterword status`, or let more be embedded at the same time \
                 (queue.slots, and embedding.openai.concurrency or embedding.local.threads)",
                if waiting == 1 { "task is" } else { "tasks are" },
                duration(due)
            ),
        );
    }
    Finding::ready(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_workers_is_unready_and_one_that_is_starting_is_not() {
        let slots = |filled, for_ms| of_trouble(&Trouble::Slots { filled, wanted: 4, for_ms });
        assert_eq!(slots(0, 100).state, State::Ready, "they are being started");
        assert_eq!(slots(0, 60_000).state, State::Unready);
        assert!(slots(0, 60_000).detail.is_some_and(|detail| detail.contains("0 of 4")));
        assert_eq!(slots(3, 60_000).state, State::Degraded);
    }

    #[test]
    fn the_provider_of_the_set_in_use_is_a_part_of_its_own_and_says_which_key_it_takes() {
        let trouble = |kind| Trouble::ProviderInUse {
            model: "before".to_owned(),
            kind,
            message: "401".to_owned(),
            open_ms: 0,
            next_try_ms: 1,
        };
        let finding = of_trouble(&trouble(ErrorKind::Config));
        assert_eq!((finding.part, finding.state), ("provider", State::Degraded));
        assert!(finding.detail.is_some_and(|said| said.contains("before") && said.contains("former_api_key")));
        assert!(of_trouble(&trouble(ErrorKind::Transient)).detail.is_some_and(|said| !said.contains("former_api_key")));
        let note = of_trouble(&Trouble::NotInEffect { message: "another model is in use".to_owned() });
        assert_eq!((note.part, note.state), ("model", State::Ready));
    }

    #[test]
    fn a_model_that_is_being_loaded_is_worth_no_warning() {
        let finding = of_trouble(&Trouble::Loading { message: "40 %".to_owned() });
        assert!(finding.expected && finding.part == "model");
        assert!(finding.detail.is_some_and(|detail| detail.starts_with("loading the model")));
    }
}
