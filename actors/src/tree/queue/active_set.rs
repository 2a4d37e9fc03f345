//! Work for the set in use, on a host whose own model is another. The circuit is for the own model's
//! provider; the other provider is left alone for a while when it fails, and neither keeps the other from its work.

use std::time::Duration;

use ractor::ActorRef;
use tokio::time::Instant;

use crate::{
    backoff::Backoff,
    circuit::requested_pause,
    embedder::{EmbedError, ErrorKind},
    settings::Delays,
    store::claim::HostSets,
    supervision::Trouble,
    tree::messages::QueueMessage,
};

/// How long a failure is still shown after its set may be tried again: an attempt takes its time. Later the failure is
/// over, or there is nothing to do, because another host has done it.
const FAILURE_SHOWN_FOR: Duration = Duration::from_secs(60);

/// What is known of the wanted sets, and of the provider of the one in use.
pub(super) struct ActiveSet {
    /// Whether this host makes the set in use, with another model than its own; `None` if that is not known yet.
    is_made: Option<bool>,
    /// The trouble to report if this host's own set is none of the wanted ones.
    mismatch: Option<Trouble>,
    failing: Option<ProviderFailure>,
    delays: Backoff,
}

/// A provider that has failed, and has stored no vectors since.
struct ProviderFailure {
    /// The model of the set in use.
    model: String,
    kind: ErrorKind,
    message: String,
    since: Instant,
    /// Until then it is left alone.
    until: Instant,
}

/// The sets for which tasks may be claimed now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClaimableSets {
    /// The own model's set.
    pub(super) own: bool,
    /// The set in use, if that is another.
    pub(super) active: bool,
}

impl ClaimableSets {
    /// Restricts `makes` to what may be claimed; `own` is the host's own set.
    pub(super) fn of(self, makes: HostSets, own: i64) -> HostSets {
        let may = |set: i64| if set == own { self.own } else { self.active };
        HostSets {
            makes_active: makes.makes_active && may(makes.active),
            makes_building: makes.makes_building && may(makes.building),
            ..makes
        }
    }
}

impl ActiveSet {
    pub(super) fn new(delays: Delays) -> Self {
        Self { is_made: None, mismatch: None, failing: None, delays: Backoff::new(delays) }
    }

    pub(super) fn looked(&mut self, makes: HostSets, own: i64, mismatch: Option<Trouble>) {
        self.committed(makes, own);
        self.mismatch = mismatch;
    }

    /// Notes what a commit has seen: while there is always work, nothing else looks.
    pub(super) fn committed(&mut self, makes: HostSets, own: i64) {
        let is_made = makes.makes_active && makes.active != own;
        self.is_made = Some(is_made);
        if !is_made {
            self.works();
        }
    }

    /// Whether tasks may be claimed for it. Before anything is known, they may: the claim itself sees what is made.
    pub(super) fn may_be_made(&self) -> bool {
        self.is_made != Some(false) && self.failing.as_ref().is_none_or(|failing| failing.until <= Instant::now())
    }

    /// Records that its provider works, or is not needed any more.
    pub(super) fn works(&mut self) {
        self.failing = None;
        self.delays.reset();
    }

    pub(super) fn trouble(&self) -> impl Iterator<Item = Trouble> {
        self.mismatch
            .clone()
            .into_iter()
            .chain(self.failing.as_ref().filter(|failing| failing.is_recent()).map(ProviderFailure::trouble))
    }

    /// Leaves the provider of the set in use alone for a while; `model` is that of the set. Returns whether it had
    /// worked before.
    pub(super) fn rest(&mut self, model: String, error: &EmbedError, queue: &ActorRef<QueueMessage>) -> bool {
        let (now, requested) = (Instant::now(), requested_pause(error));
        if let Some(failing) = self.failing.as_mut().filter(|failing| failing.until > now) {
            // Attempts that were under way say nothing new, but may ask for a longer pause.
            failing.until = failing.until.max(now + requested);
            return false;
        }
        let pause = self.delays.next_delay().max(requested);
        let EmbedError { kind, message, .. } = error.clone();
        tracing::warn!(model, %kind, error = message, ?pause, "the provider of the set in use fails; its tasks wait");
        queue.send_after(pause, || QueueMessage::Poll);
        let since = self.failing.as_ref().filter(|failing| failing.is_recent()).map(|failing| failing.since);
        self.failing = Some(ProviderFailure { model, kind, message, since: since.unwrap_or(now), until: now + pause });
        since.is_none()
    }
}

impl ProviderFailure {
    fn is_recent(&self) -> bool {
        self.until + FAILURE_SHOWN_FOR > Instant::now()
    }

    fn trouble(&self) -> Trouble {
        let (now, millis) = (Instant::now(), |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        Trouble::ProviderInUse {
            model: self.model.clone(),
            kind: self.kind,
            message: self.message.clone(),
            open_ms: millis(now.saturating_duration_since(self.since)),
            next_try_ms: millis(self.until.saturating_duration_since(now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_told_until_a_while_after_the_next_try() {
        let second = Duration::from_secs(1);
        let failing = ProviderFailure {
            model: "of the set in use".to_owned(),
            kind: ErrorKind::Transient,
            message: "away".to_owned(),
            since: Instant::now(),
            until: Instant::now() + second,
        };
        let delays = Backoff::new(Delays { base: second, max: second });
        let active_set = ActiveSet { is_made: Some(true), mismatch: None, failing: Some(failing), delays };
        assert!(!active_set.may_be_made() && active_set.trouble().count() == 1);
        tokio::time::advance(2 * second).await;
        assert!(active_set.may_be_made() && active_set.trouble().count() == 1, "nobody knows whether it works");
        tokio::time::advance(FAILURE_SHOWN_FOR).await;
        assert_eq!(active_set.trouble().count(), 0, "another host may have done what there was to do");
    }
}
