//! Work for the set in use on a host whose own model is to follow it. The circuit is the own model's; the other provider
//! is left alone for a while when it fails, and neither keeps the other from its work.

use ractor::ActorRef;
use tokio::time::Instant;

use crate::{
    backoff::Backoff, settings::Delays, store::claim::Makes, supervision::Trouble, tree::messages::QueueMessage,
};

/// What is known of the sets that are wanted, and of the provider of the one in use.
pub(super) struct Second {
    /// This host makes the set in use by another model than its own.
    is_made: bool,
    /// Why this host makes none of the sets that are wanted.
    unwanted: Option<String>,
    rests_until: Option<Instant>,
    delays: Backoff,
}

/// For which sets tasks may be claimed now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MayMake {
    /// The own model's.
    pub(super) own: bool,
    /// The one in use, where that is another.
    pub(super) second: bool,
}

impl MayMake {
    /// What of `makes` is claimed for; `own` is the host's own set.
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
        Self { is_made: false, unwanted: None, rests_until: None, delays: Backoff::new(delays) }
    }

    pub(super) fn looked(&mut self, makes: Makes, own: i64, unwanted: Option<String>) {
        self.is_made = makes.makes_active && makes.active != own;
        self.unwanted = unwanted;
    }

    pub(super) fn may_be_made(&self) -> bool {
        self.is_made && self.rests_until.is_none_or(|until| until <= Instant::now())
    }

    /// Notes that its provider works.
    pub(super) fn works(&mut self) {
        self.delays.reset();
    }

    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.unwanted.clone().map(|message| Trouble::Unwanted { message })
    }

    pub(super) fn rest(&mut self, error: &str, queue: &ActorRef<QueueMessage>) {
        if !self.may_be_made() && self.rests_until.is_some() {
            return; // What was in flight says nothing new.
        }
        let pause = self.delays.next_delay();
        tracing::warn!(error, ?pause, "the provider of the set in use fails; its tasks wait");
        self.rests_until = Some(Instant::now() + pause);
        queue.send_after(pause, || QueueMessage::Poll);
    }
}
