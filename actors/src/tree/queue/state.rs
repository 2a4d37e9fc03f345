//! What the QueueActor remembers between messages: its parts, and what follows from them together.

use std::sync::Arc;

use ractor::{ActorRef, RpcReplyPort};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::{
    active_set::{ActiveSet, ClaimableSets},
    claim_cursor::ClaimCursor,
    commits::Commits,
    provider::ProviderState,
    roster::Roster,
    salvage::Salvage,
};
use crate::{
    circuit::Admission,
    context::Context,
    settlement::CommitItem,
    supervision::{ActorState, ActorStatus, Address, Trouble, elapsed_ms},
    task::{Lease, Slot},
    tree::{
        messages::{HeartbeatMessage, QueueMessage, WorkerSupervisorMessage},
        metrics::MetricsMessage,
    },
};

pub(crate) struct QueueArguments {
    pub(crate) context: Arc<Context>,
    /// Asked which workers exist.
    pub(crate) workers: Address<WorkerSupervisorMessage>,
    /// Told of attempts that have ended.
    pub(crate) metrics: Address<MetricsMessage>,
    /// Told when other processes should see a change at once.
    pub(crate) heartbeat: Address<HeartbeatMessage>,
}

pub(crate) struct QueueState {
    pub(super) arguments: QueueArguments,
    pub(super) myself: ActorRef<QueueMessage>,
    pub(super) roster: Roster,
    pub(super) commits: Commits,
    pub(super) provider: ProviderState,
    /// When the timer of the next probe ends.
    pub(super) probe_at: Option<Instant>,
    pub(super) salvage: Salvage,
    pub(super) claim_cursor: ClaimCursor,
    pub(super) active_set: ActiveSet,
    pub(super) look: Option<AbortOnDropHandle<()>>,
    pub(super) drain: Drain,
    since: Instant,
}

/// The end of this host's work, once it is requested.
#[derive(Default)]
pub(super) struct Drain {
    pub(super) begun: bool,
    pub(super) replies: Vec<RpcReplyPort<()>>,
}

impl QueueState {
    pub(super) fn new(arguments: QueueArguments, myself: ActorRef<QueueMessage>) -> Self {
        let (settings, embedder) = (&arguments.context.settings, arguments.context.model.embedder.clone());
        Self {
            roster: Roster::of_slots(settings.slots),
            commits: Commits::new(settings.restart.delays),
            provider: ProviderState::new(embedder, settings.circuit, &myself),
            probe_at: None,
            salvage: Salvage::default(),
            claim_cursor: ClaimCursor::front(),
            active_set: ActiveSet::new(settings.circuit),
            look: None,
            drain: Drain::default(),
            since: Instant::now(),
            arguments,
            myself,
        }
    }

    /// Free slots that a task may be claimed for now.
    pub(super) fn claimable_slots(&self) -> Vec<Slot> {
        let batch = self.arguments.context.settings.claim_batch.max(1) as usize;
        let most = match self.provider.admission() {
            Admission::All => batch,
            Admission::One => 1_usize.saturating_sub(self.commits.claimed_for().len()),
            // The set in use has another provider.
            Admission::None if self.active_set.may_be_made() => batch,
            Admission::None => 0,
        };
        let mut slots = self.idle_slots();
        slots.truncate(most);
        slots
    }

    /// Free slots, whether or not a task may be claimed.
    pub(super) fn idle_slots(&self) -> Vec<Slot> {
        if self.drain.begun {
            return Vec::new();
        }
        let claimed_for = self.commits.claimed_for();
        self.roster.idle().filter(|slot| !claimed_for.contains(slot)).collect()
    }

    /// The sets for which tasks may be claimed now.
    pub(super) fn claimable_sets(&self) -> ClaimableSets {
        ClaimableSets { own: self.provider.admission() != Admission::None, active: self.active_set.may_be_made() }
    }

    pub(super) fn wake(&mut self) {
        // While the database is away, the flush that waits for it is the next.
        if self.commits.outage().is_none() {
            self.schedule_flush();
        }
    }

    /// All leases that this host has to renew.
    pub(super) fn leases_to_renew(&self) -> Vec<Lease> {
        self.leases().cloned().collect()
    }

    fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.roster.leases().chain(self.commits.leases()).chain(self.provider.leases())
    }

    /// The tokens of all that this host has claimed or is claiming, with those of `batch`.
    pub(super) fn known_tokens(&self, batch: &[CommitItem]) -> Vec<String> {
        let batch = batch.iter().map(|gathered| gathered.decided.task.lease.token.as_str());
        let own = self.leases().map(|lease| lease.token.as_str());
        let mut tokens: Vec<_> = own.chain(batch).chain(self.commits.tokens()).map(str::to_owned).collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }

    pub(super) fn status(&self) -> ActorStatus {
        let mut status = ActorStatus::running("QueueActor", self.since);
        status.doing = Some(format!("{} of {} slots busy", self.roster.busy(), self.roster.slots()));
        if self.drain.begun {
            status.state = ActorState::Draining;
            return status;
        }
        status.trouble = self.trouble();
        if let Some(worst) = status.trouble.iter().rfind(|trouble| !trouble.is_no_fault()) {
            status.state = ActorState::Degraded;
            status.last_error = Some(worst.to_string());
            status.for_ms = match worst {
                Trouble::Provider { open_ms: lasted, .. }
                | Trouble::ProviderInUse { open_ms: lasted, .. }
                | Trouble::Database { for_ms: lasted, .. }
                | Trouble::Slots { for_ms: lasted, .. } => *lasted,
                Trouble::Loading { .. }
                | Trouble::Model { .. }
                | Trouble::Unwanted { .. }
                | Trouble::NotInEffect { .. } => status.for_ms,
            };
        }
        status
    }

    /// What keeps the queue from its work; the database last, because without it nothing works.
    fn trouble(&self) -> Vec<Trouble> {
        let mut all: Vec<_> = self.provider.trouble().into_iter().collect();
        all.extend(self.roster.trouble());
        all.extend(self.active_set.trouble());
        if let Some(outage) = self.commits.outage() {
            let (message, for_ms) = (outage.error.to_string(), elapsed_ms(outage.since));
            all.push(Trouble::Database { message, for_ms });
        }
        all
    }
}
