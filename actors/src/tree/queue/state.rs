//! What the QueueActor remembers between messages: its parts, and how they work together.

use ractor::{ActorRef, RpcReplyPort};
use tokio::time::Instant;

use super::{
    super::{heartbeat::HeartbeatMessage, owned::Owned, worker::WorkerMessage},
    QueueArguments, QueueMessage,
    commits::Commits,
    place::Place,
    provider::{Judgement, Provider, Undecided},
    roster::Roster,
    salvage::Salvage,
    second::{MayMake, Second},
};
use crate::{
    circuit::Admission,
    embedder::EmbedError,
    settlement::{self, Decision, Gathered, decide},
    store::{StoreError, leases},
    supervision::{ActorState, ActorStatus, Trouble, elapsed_ms},
    task::{Failure, Finished, Lease, Outcome, Slot},
};

pub(crate) struct QueueState {
    pub(super) at: QueueArguments,
    pub(super) myself: ActorRef<QueueMessage>,
    pub(super) roster: Roster,
    pub(super) commits: Commits,
    pub(super) provider: Provider,
    pub(super) salvage: Salvage,
    pub(super) place: Place,
    pub(super) second: Second,
    pub(super) look: Option<Owned>,
    drain: Drain,
    since: Instant,
}

/// The end of this host's work, once it is asked for.
#[derive(Default)]
struct Drain {
    begun: bool,
    replies: Vec<RpcReplyPort<()>>,
}

impl QueueState {
    pub(super) fn new(at: QueueArguments, myself: ActorRef<QueueMessage>) -> Self {
        let (settings, embedder) = (&at.context.settings, at.context.model.embedder.clone());
        Self {
            roster: Roster::of_slots(settings.slots),
            commits: Commits::new(settings.restart.delays),
            provider: Provider::new(embedder, settings.circuit, &myself),
            salvage: Salvage::default(),
            place: Place::front(),
            second: Second::new(settings.circuit),
            look: None,
            drain: Drain::default(),
            since: Instant::now(),
            at,
            myself,
        }
    }

    /// Free slots for which a task may be claimed now.
    pub(super) fn claimable_slots(&self) -> Vec<Slot> {
        let batch = self.at.context.settings.claim_batch.max(1) as usize;
        let most = match self.provider.admission() {
            Admission::All => batch,
            Admission::One => 1_usize.saturating_sub(self.commits.claimed_for().len()),
            // Its provider is another.
            Admission::None if self.second.may_be_made() => batch,
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

    /// For which sets tasks may be claimed now.
    pub(super) fn may_make(&self) -> MayMake {
        MayMake { own: self.provider.admission() != Admission::None, second: self.second.may_be_made() }
    }

    pub(super) fn wake(&mut self) {
        // While the database is away, the flush that waits for it is the next.
        if self.commits.outage().is_none() {
            self.schedule_flush();
        }
    }

    pub(super) fn seated(&mut self, slot: Slot, worker: ActorRef<WorkerMessage>) {
        if let Some(task) = self.roster.seat(slot, worker) {
            self.commits.gather([settlement::returned(task)]);
        }
        self.wake();
    }

    pub(super) fn vacated(&mut self, slot: Slot, reason: &str) {
        let Some(task) = self.roster.vacate(slot, reason) else { return };
        let failure = Failure::from(EmbedError::crashed(format!("the worker died: {reason}")));
        let retry = self.at.context.settings.retry;
        self.commits.gather([settlement::blamed(task, std::time::Duration::ZERO, failure, retry)]);
        self.schedule_flush();
    }

    pub(super) fn dismissed(&mut self) {
        let tasks = self.roster.dismiss();
        self.commits.gather(tasks.into_iter().map(settlement::returned));
        self.schedule_flush();
    }

    pub(super) fn finished(&mut self, finished: Finished) {
        if !self.roster.end(&finished) {
            return;
        }
        if finished.task.model_id != self.at.context.model_row.id {
            return self.finished_beside(finished);
        }
        let Finished { task, outcome, elapsed, made, gained } = finished;
        let failed = matches!(outcome, Outcome::Failed(_));
        let gained = failed && self.salvage.keep(task.article_id, made) && gained;
        match decide(task, elapsed, outcome, self.at.context.settings.retry) {
            Decision::Commit(decided) => self.commits.gather([decided]),
            Decision::Ask(task, elapsed, failure) => {
                let undecided = Undecided { task, elapsed, failure, gained };
                if self.drain.begun {
                    // A shutdown waits for no probe.
                    self.judged(Judgement::Provider(vec![undecided]));
                } else {
                    let was_open = self.provider.is_open();
                    let judgement = self.provider.failed(undecided, &self.myself);
                    self.judged(judgement);
                    self.show_change(was_open);
                }
            }
        }
        self.schedule_probe();
        self.schedule_flush();
    }

    pub(super) fn probed(&mut self, result: Result<(), EmbedError>) {
        let was_open = self.provider.is_open();
        let judgement = self.provider.probed(result);
        self.judged(judgement);
        self.show_change(was_open);
        self.schedule_probe();
        self.schedule_flush();
    }

    /// Other processes see at once that the provider fails, or works again.
    fn show_change(&self, was_open: bool) {
        if self.provider.is_open() != was_open {
            self.at.heartbeat.send(HeartbeatMessage::Beat);
        }
    }

    fn judged(&mut self, judgement: Judgement) {
        let retry = self.at.context.settings.retry;
        match judgement {
            Judgement::Open => {}
            Judgement::Provider(all) => {
                let refunded = |u: Undecided| settlement::refunded(u.task, u.elapsed, u.failure);
                self.commits.gather(all.into_iter().map(refunded));
            }
            Judgement::Documents(all) => {
                let pays = |u: Undecided| match u.gained {
                    true => settlement::continued(u.task, u.elapsed, u.failure, retry),
                    false => settlement::blamed(u.task, u.elapsed, u.failure, retry),
                };
                self.commits.gather(all.into_iter().map(pays));
            }
        }
    }

    pub(super) fn schedule_probe(&self) {
        if let Some(delay) = self.provider.next_probe() {
            self.myself.send_after(delay, || QueueMessage::Poll);
        }
    }

    /// All leases that this host has to keep.
    pub(super) fn held(&self) -> Vec<Lease> {
        self.leases().cloned().collect()
    }

    fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.roster.leases().chain(self.commits.leases()).chain(self.provider.leases())
    }

    /// The tokens of all that this host holds or is about to, with those of `batch`.
    pub(super) fn known_tokens(&self, batch: &[Gathered]) -> Vec<String> {
        let batch = batch.iter().map(|gathered| gathered.decided.task.lease.token.as_str());
        let held = self.leases().map(|lease| lease.token.as_str());
        let mut tokens: Vec<_> = held.chain(batch).chain(self.commits.tokens()).map(str::to_owned).collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }

    pub(super) fn drain(&mut self, reply: RpcReplyPort<()>) {
        self.drain.begun = true;
        self.drain.replies.push(reply);
        let undecided = self.provider.give_up_deciding();
        self.judged(Judgement::Provider(undecided));
        self.schedule_flush();
        self.answer_drained();
    }

    pub(super) fn answer_drained(&mut self) {
        let nothing_left = self.roster.busy() == 0 && self.commits.is_empty() && !self.provider.has_undecided();
        if self.drain.begun && nothing_left {
            self.drain.replies.drain(..).for_each(|reply| drop(reply.send(())));
        }
    }

    /// Gives everything back; the workers have been stopped before.
    pub(super) async fn release(&mut self) -> u64 {
        self.drain.begun = true;
        self.commits.ended().await;
        self.roster.take_tasks();
        self.provider.give_up_deciding();
        let mut released = 0;
        loop {
            let incarnation = self.at.context.incarnation.clone();
            let page = self
                .at
                .context
                .database
                .write_behind::<_, StoreError, _>(move |transaction| {
                    Box::pin(async move { leases::release(transaction, &incarnation, &[]).await })
                })
                .await;
            match page {
                Ok(page) if page.is_empty() => return released,
                Ok(page) => released += page.len() as u64,
                Err(error) => {
                    tracing::warn!(%error, "tasks could not be given back; another host rescues them");
                    return released;
                }
            }
        }
    }

    pub(super) fn status(&self) -> ActorStatus {
        let mut status = ActorStatus::running("QueueActor", self.since);
        status.doing = Some(format!("{} of {} slots busy", self.roster.busy(), self.roster.slots()));
        if self.drain.begun {
            status.state = ActorState::Draining;
            return status;
        }
        status.trouble = self.trouble();
        if let Some(worst) = status.trouble.iter().rfind(|trouble| !trouble.passes_by_itself()) {
            status.state = ActorState::Degraded;
            status.last_error = Some(worst.to_string());
            status.for_ms = match worst {
                Trouble::Provider { open_ms: lasted, .. }
                | Trouble::Database { for_ms: lasted, .. }
                | Trouble::Slots { for_ms: lasted, .. } => *lasted,
                Trouble::Loading { .. } | Trouble::Model { .. } | Trouble::Unwanted { .. } => status.for_ms,
            };
        }
        status
    }

    /// What keeps the queue from its work; the database last, because nothing goes on without it.
    fn trouble(&self) -> Vec<Trouble> {
        let mut all: Vec<_> = self.provider.trouble().into_iter().collect();
        all.extend(self.roster.trouble());
        all.extend(self.second.trouble());
        if let Some(outage) = self.commits.outage() {
            let (message, for_ms) = (outage.error.to_string(), elapsed_ms(outage.since));
            all.push(Trouble::Database { message, for_ms });
        }
        all
    }
}
