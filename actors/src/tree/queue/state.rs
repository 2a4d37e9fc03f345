//! What the QueueActor remembers between messages, and its answers about it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use ractor::{ActorRef, RpcReplyPort};
use tokio::time::Instant;

use super::{
    super::{owned::Owned, worker::WorkerMessage},
    Decided, QueueMessage,
    decide::{self, Decision, decide},
    flush::Commit,
    place::Place,
};
use crate::{
    backoff::Backoff,
    circuit::Circuit,
    context::Context,
    embedder::EmbedError,
    store::{StoreError, hosts::WorkerRow, leases},
    supervision::{ActorState, ActorStatus},
    task::{ClaimedTask, Failure, Finished, Lease, Outcome, Slot},
};

pub(crate) struct QueueState {
    pub(super) context: Arc<Context>,
    /// Nothing for one that is being started again.
    pub(super) workers: BTreeMap<Slot, Option<ActorRef<WorkerMessage>>>,
    pub(super) running: HashMap<Slot, ClaimedTask>,
    /// To be committed by the next flush.
    pub(super) decided: Vec<Arc<Decided>>,
    pub(super) committing: Vec<Commit>,
    /// Commits begun so far; the number of the next.
    pub(super) commits: u64,
    /// Waiting for a probe to say whose fault it was.
    undecided: Vec<(Finished, Failure)>,
    pub(super) circuit: Circuit,
    probe: Option<Owned>,
    pub(super) place: Place,
    pub(super) flush_scheduled: bool,
    /// Something came up while no further commit could begin: the end of one begins the next.
    pub(super) flush_wanted: bool,
    /// What an earlier life of this actor held has been given back.
    pub(super) recovered: bool,
    pub(super) outage: Option<Outage>,
    pub(super) outage_delays: Backoff,
    draining: bool,
    drained: Vec<RpcReplyPort<()>>,
    tallies: HashMap<Slot, Tally>,
    since: Instant,
}

/// The database does not answer: a state, not a crash.
pub(super) struct Outage {
    pub(super) since: Instant,
    pub(super) error: StoreError,
}

#[derive(Default, Clone)]
struct Tally {
    completed: u64,
    failed: u64,
    restarts: u64,
    last_error: Option<String>,
}

impl QueueState {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self {
            circuit: Circuit::new(context.settings.circuit),
            outage_delays: Backoff::new(context.settings.restart.delays),
            context,
            workers: BTreeMap::new(),
            running: HashMap::new(),
            decided: Vec::new(),
            committing: Vec::new(),
            commits: 0,
            undecided: Vec::new(),
            probe: None,
            place: Place::front(),
            flush_scheduled: false,
            flush_wanted: false,
            recovered: false,
            outage: None,
            draining: false,
            drained: Vec::new(),
            tallies: HashMap::new(),
            since: Instant::now(),
        }
    }

    /// A flush is worth its transaction if there is something to commit or somebody to work.
    pub(super) fn schedule_flush(&mut self, myself: &ActorRef<QueueMessage>) {
        if !self.may_commit() {
            self.flush_wanted = true;
        } else if !self.flush_scheduled && (!self.decided.is_empty() || !self.claimable_slots().is_empty()) {
            self.flush_scheduled = true;
            // Behind what the mailbox holds already: all of that joins the same commit.
            let _ = myself.send_message(QueueMessage::Flush);
        }
    }

    /// Free slots for which a task may be claimed now.
    pub(super) fn claimable_slots(&self) -> Vec<Slot> {
        if self.draining || !self.circuit.is_closed() || !self.undecided.is_empty() {
            return Vec::new();
        }
        let batch = self.context.settings.claim_batch.max(1) as usize;
        let claimed_for: HashSet<_> = self.committing.iter().flat_map(|commit| &commit.slots).collect();
        let is_taken = |slot| self.running.contains_key(slot) || claimed_for.contains(slot);
        let ready = self.workers.iter().filter(|(slot, worker)| worker.is_some() && !is_taken(slot));
        ready.map(|(&slot, _)| slot).take(batch).collect()
    }

    pub(super) fn wake(&mut self, myself: &ActorRef<QueueMessage>) {
        // While the database is away, the flush that waits for it is the next.
        if self.outage.is_none() {
            self.schedule_flush(myself);
        }
    }

    pub(super) fn idle(&mut self, myself: &ActorRef<QueueMessage>, slot: Slot, worker: ActorRef<WorkerMessage>) {
        if let Some(Some(_)) = self.workers.insert(slot, Some(worker)) {
            // A new worker for a slot whose old one died unseen: its task, if any, has been lost with it.
            self.lost(myself, slot, "the worker was replaced");
        }
        self.wake(myself);
    }

    pub(super) fn finished(&mut self, myself: &ActorRef<QueueMessage>, finished: Finished) {
        match self.running.get(&finished.slot()) {
            Some(task) if task.lease == finished.task.lease => drop(self.running.remove(&finished.slot())),
            // The answer of a worker that was given up meanwhile; the lease has been dealt with.
            Some(_) | None => return,
        }
        self.tally(&finished);
        match decide(finished, self.context.settings.retry) {
            Decision::Commit(decided) => {
                if matches!(decided.write, decide::Write::Store(_)) {
                    self.circuit.close();
                }
                self.decided.push(Arc::new(decided));
            }
            Decision::Trip(decided, error) => {
                self.decided.push(Arc::new(decided));
                self.trip(error);
            }
            Decision::Probe(finished, failure) => self.ask_provider(myself, finished, failure),
        }
        self.schedule_flush(myself);
    }

    /// Its worker has died: no task for it until there is another.
    pub(super) fn vacated(&mut self, myself: &ActorRef<QueueMessage>, slot: Slot, reason: &str) {
        self.workers.insert(slot, None);
        self.lost(myself, slot, reason);
    }

    fn lost(&mut self, myself: &ActorRef<QueueMessage>, slot: Slot, reason: &str) {
        let Some(task) = self.running.remove(&slot) else { return };
        let tally = self.tallies.entry(slot).or_default();
        tally.restarts += 1;
        tally.failed += 1;
        tally.last_error = Some(reason.to_owned());
        let failure = Failure::from(EmbedError::crashed(format!("the worker died: {reason}")));
        let retry = self.context.settings.retry;
        self.decided.push(Arc::new(decide::blamed(task, std::time::Duration::ZERO, failure, retry)));
        self.schedule_flush(myself);
    }

    fn tally(&mut self, finished: &Finished) {
        let tally = self.tallies.entry(finished.slot()).or_default();
        match &finished.outcome {
            Outcome::Embedded(_) | Outcome::Unchanged { .. } | Outcome::Discard { .. } => tally.completed += 1,
            Outcome::Failed(failure) => {
                tally.failed += 1;
                tally.last_error = Some(failure.message.clone());
            }
        }
    }

    fn ask_provider(&mut self, myself: &ActorRef<QueueMessage>, finished: Finished, failure: Failure) {
        self.undecided.push((finished, failure));
        self.begin_probe(myself);
    }

    fn begin_probe(&mut self, myself: &ActorRef<QueueMessage>) {
        if self.probe.is_some() {
            return;
        }
        let (embedder, myself) = (Arc::clone(&self.context.model.embedder), myself.clone());
        self.probe = Some(Owned::spawn(async move {
            let result = embedder.probe().await;
            let _ = myself.send_message(QueueMessage::Probed(result));
        }));
    }

    pub(super) fn probe_if_due(&mut self, myself: &ActorRef<QueueMessage>) {
        // A probe that panicked never answered: it is begun again.
        if self.probe.as_ref().is_some_and(Owned::has_ended) && !self.undecided.is_empty() {
            self.probe = None;
            self.begin_probe(myself);
        }
        if self.circuit.begin_probe(Instant::now()) {
            self.probe = None;
            self.begin_probe(myself);
        }
    }

    pub(super) fn probed(&mut self, myself: &ActorRef<QueueMessage>, result: Result<(), EmbedError>) {
        self.probe = None;
        let retry = self.context.settings.retry;
        let waiting = std::mem::take(&mut self.undecided);
        match result {
            Ok(()) => {
                self.circuit.close();
                let blamed = |(f, failure): (Finished, Failure)| decide::blamed(f.task, f.elapsed, failure, retry);
                self.decided.extend(waiting.into_iter().map(blamed).map(Arc::new));
            }
            Err(error) => {
                let refunded = |(f, failure): (Finished, Failure)| decide::refunded(f.task, f.elapsed, failure);
                self.decided.extend(waiting.into_iter().map(refunded).map(Arc::new));
                self.trip(error);
            }
        }
        self.schedule_probe(myself);
        self.schedule_flush(myself);
    }

    pub(super) fn trip(&mut self, error: EmbedError) {
        if self.circuit.is_closed() {
            tracing::warn!(kind = %error.kind, error = error.message, "the embedding provider fails; claiming stops");
        }
        self.circuit.trip(error, Instant::now());
    }

    pub(super) fn schedule_probe(&self, myself: &ActorRef<QueueMessage>) {
        if let Some(delay) = self.circuit.next_probe(Instant::now()) {
            myself.send_after(delay, || QueueMessage::Poll);
        }
    }

    pub(super) fn held(&self) -> Vec<Lease> {
        let running = self.running.values().map(|task| task.lease.clone());
        let on_their_way = self.committing.iter().flat_map(|commit| &commit.batch);
        let decided = self.decided.iter().chain(on_their_way).map(|decided| decided.task.lease.clone());
        let undecided = self.undecided.iter().map(|(finished, _)| finished.task.lease.clone());
        running.chain(decided).chain(undecided).collect()
    }

    pub(super) fn roster(&self) -> Vec<WorkerRow> {
        self.workers
            .iter()
            .map(|(&slot, worker)| {
                let task = self.running.get(&slot);
                let Tally { completed, failed, restarts, last_error } =
                    self.tallies.get(&slot).cloned().unwrap_or_default();
                WorkerRow {
                    slot,
                    state: match (worker, task) {
                        (None, _) => "restarting",
                        (Some(_), Some(_)) => "busy",
                        (Some(_), None) => "idle",
                    },
                    task_id: task.map(|task| task.lease.task_id),
                    completed,
                    failed,
                    restarts,
                    last_error,
                }
            })
            .collect()
    }

    pub(super) fn drain(&mut self, reply: RpcReplyPort<()>) {
        self.draining = true;
        self.drained.push(reply);
        self.answer_drained();
    }

    pub(super) fn answer_drained(&mut self) {
        let nothing_left = self.running.is_empty() && self.decided.is_empty() && self.undecided.is_empty();
        if self.draining && nothing_left && self.committing.is_empty() {
            self.drained.drain(..).for_each(|reply| drop(reply.send(())));
        }
    }

    /// Gives everything back; the workers have been stopped before.
    pub(super) async fn release(&mut self) -> u64 {
        self.draining = true;
        for commit in std::mem::take(&mut self.committing) {
            // What it claims is given back below.
            commit.work.ended().await;
        }
        self.running.clear();
        self.undecided.clear();
        let mut released = 0;
        loop {
            let incarnation = self.context.incarnation.clone();
            let page = self
                .context
                .database
                .write_behind::<_, StoreError, _>(move |transaction| {
                    Box::pin(async move { leases::release(transaction, &incarnation).await })
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
        let now = Instant::now();
        let mut status = ActorStatus::running("QueueActor", millis(now - self.since));
        status.mailbox = self.context.addresses.queue.waiting();
        status.doing = Some(format!("{} of {} slots busy", self.running.len(), self.workers.len()));
        if self.draining {
            status.state = ActorState::Draining;
        }
        if let Some(open) = self.circuit.opened(now) {
            status.state = ActorState::Degraded;
            status.for_ms = millis(open.since);
            status.last_error = Some(format!(
                "the embedding provider fails ({}): {}; next probe in {:.0?}",
                open.kind, open.message, open.next_probe
            ));
        }
        if let Some(outage) = &self.outage {
            status.state = ActorState::Degraded;
            status.for_ms = millis(now - outage.since);
            status.last_error = Some(outage.error.to_string());
        }
        status
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
