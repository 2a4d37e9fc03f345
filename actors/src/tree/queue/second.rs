//! Work for the set in use on a host with a model of its own that is to replace it. The circuit is for the own model's
//! provider; the other provider is left alone for a while when it fails, and neither keeps the other from its work.

use ractor::ActorRef;
use tokio::time::Instant;

use crate::{
    backoff::Backoff, settings::Delays, store::claim::Makes, supervision::Trouble, tree::messages::QueueMessage,
};

/// What is known of the wanted sets, and of the provider of the one in use.
pub(super) struct Second {
    /// Whether this host makes the set in use, with another model than its own; `None` if that is not known yet.
    is_made: Option<bool>,
    /// Why this host makes none of the wanted sets.
    unwanted: Option<String>,
    rests_until: Option<Instant>,
    delays: Backoff,
}

/// The sets for which tasks may be claimed now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MayMake {
    /// The own model's set.
    pub(super) own: bool,
    /// The set in use, if that is another.
    pub(super) second: bool,
}

impl MayMake {
    /// Restricts `makes` to what may be claimed; `own` is the host's own set.
    pub(super) fn of(self, makes: Makes, own: i64) -> Makes {
        let may = |set: i64| if set == own { self.own } else { self.second };
        Makes {
            makes_active: makes.makes_active && may(makes.active),
            makes_building: makes.makes_building && may(makes.building),
            ..makes
        }
    }
}

impl Second {
    pub(super) fn new(delays: Delays) -> Self {
        Self { is_made: None, unwanted: None, rests_until: None, delays: Backoff::new(delays) }
    }

    pub(super) fn looked(&mut self, makes: Makes, own: i64, unwanted: Option<String>) {
        self.committed(makes, own);
        self.unwanted = unwanted;
    }

    /// Notes what a commit has seen: while there is always work, nothing else looks.
    pub(super) fn committed(&mut self, makes: Makes, own: i64) {
        self.is_made = Some(makes.makes_active && makes.active != own);
    }

    /// Whether tasks may be claimed for it. Before anything is known, they may: the claim itself sees what is made.
    pub(super) fn may_be_made(&self) -> bool {
        self.is_made != Some(false) && self.rests_until.is_none_or(|until| until <= Instant::now())
    }

    /// Records that its provider works.
    pub(super) fn works(&mut self) {
        self.delays.reset();
    }

    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.unwanted.clone().map(|message| Trouble::Unwanted { message })
    }

    pub(super) fn rest(&mut self, error: &str, queue: &ActorRef<QueueMessage>) {
        if !self.may_be_made() && self.rests_until.is_some() {
            return; // Attempts that were under way say nothing new.
        }
        let pause = self.delays.next_delay();
        tracing::warn!(error, ?pause, "the provider of the set in use fails; its tasks wait");
        self.rests_until = Some(Instant::now() + pause);
        queue.send_after(pause, || QueueMessage::Poll);
    }
}
