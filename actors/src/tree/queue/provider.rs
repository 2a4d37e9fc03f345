//! The embedding provider as the queue sees it: its circuit, the probe, the readiness of its model, and what a failure
//! is blamed on.
//!
//! A failure says what the back end saw, not what is to blame. That is found out here:
//! - the provider asks for a pause or is unreachable: the circuit opens, and no document pays;
//! - a task fails this way repeatedly while it is the only one, just after a probe has worked: suspect;
//! - a refusal of the key or of the text, a time-out, vectors of another length, a suspect's failure: one probe with a
//!   harmless text decides.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ractor::ActorRef;
use tokio::{sync::watch, time::Instant};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    circuit::{Admission, Circuit, requested_pause},
    embedder::{EmbedError, Embedder, ErrorKind, Fault, Purpose, Readiness, Vector},
    panics::catch_panic,
    settings::Delays,
    supervision::Trouble,
    task::{ClaimedTask, Failure, Lease},
    tree::messages::QueueMessage,
};

/// A probe that takes longer has failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(120);
/// The number of failed trials after which a task is suspect.
const SUSPECT_AFTER_TRIALS: u32 = 2;
/// Most tasks whose failed trials are remembered.
const MAX_TRIALS_REMEMBERED: usize = 1_000;

pub(super) struct ProviderState {
    embedder: Arc<dyn Embedder>,
    readiness: Option<watch::Receiver<Readiness>>,
    _watch: Option<AbortOnDropHandle<()>>,
    circuit: Circuit,
    probe: Option<AbortOnDropHandle<()>>,
    /// The expected length of a vector, once one had another: probes check it from then on.
    length: Option<u32>,
    /// Failures that wait for a probe to decide what is to blame.
    undecided: Vec<UndecidedFailure>,
    /// How often each task has failed as a trial.
    trials_failed: HashMap<i64, u32>,
}

/// A failed attempt that is either the document's fault or the provider's.
pub(super) struct UndecidedFailure {
    pub(super) task: ClaimedTask,
    pub(super) elapsed: Duration,
    pub(super) failure: Failure,
    /// It made vectors that are kept for the next attempt.
    pub(super) gained: bool,
}

/// What is to blame for failures.
pub(super) enum Judgement {
    /// Not known yet.
    Open,
    /// The provider: these attempts do not count.
    Provider(Vec<UndecidedFailure>),
    /// The documents.
    Documents(Vec<UndecidedFailure>),
}

impl ProviderState {
    pub(super) fn new(embedder: Arc<dyn Embedder>, circuit: Delays, queue: &ActorRef<QueueMessage>) -> Self {
        let readiness = embedder.readiness();
        let watch = readiness
            .clone()
            .map(|readiness| AbortOnDropHandle::new(tokio::spawn(wake_when_ready(readiness, queue.clone()))));
        Self {
            embedder,
            readiness,
            _watch: watch,
            circuit: Circuit::new(circuit),
            probe: None,
            length: None,
            undecided: Vec::new(),
            trials_failed: HashMap::new(),
        }
    }

    /// Returns how many tasks may be claimed now.
    pub(super) fn admission(&self) -> Admission {
        let is_ready = self.readiness.as_ref().is_none_or(|readiness| *readiness.borrow() == Readiness::Ready);
        if is_ready && self.undecided.is_empty() { self.circuit.admission() } else { Admission::None }
    }

    /// Whether the provider is known to fail.
    pub(super) fn is_open(&self) -> bool {
        self.circuit.is_open()
    }

    /// Records that embedding `task` begins.
    pub(super) fn began(&mut self, task: i64) {
        self.circuit.began(task);
    }

    /// Records that the end of an attempt at `task` has been committed.
    pub(super) fn committed(&mut self, task: i64, stored: bool, is_final: bool) {
        if is_final {
            self.trials_failed.remove(&task);
        }
        self.circuit.committed(task, stored);
    }

    /// Takes a failed attempt.
    pub(super) fn failed(&mut self, undecided: UndecidedFailure, queue: &ActorRef<QueueMessage>) -> Judgement {
        let (task, failure) = (undecided.task.lease.task_id, &undecided.failure);
        if self.circuit.is_open() {
            // It is known to fail: nothing new is learnt, except that it may ask for a longer pause.
            if failure.fault == Fault::Provider {
                self.trip(as_error(failure));
            }
            return Judgement::Provider(vec![undecided]);
        }
        let asks_for_a_pause = failure.fault == Fault::Provider && failure.kind != ErrorKind::Config;
        let is_suspect = self.trials_failed.get(&task).is_some_and(|&failed| failed >= SUSPECT_AFTER_TRIALS);
        if asks_for_a_pause && !is_suspect {
            self.note_trial(&undecided);
            self.trip(as_error(&undecided.failure));
            return Judgement::Provider(vec![undecided]);
        }
        if asks_for_a_pause && failure.retry_after.is_some() {
            // The probe that decides comes after the pause.
            self.trip(as_error(failure));
        } else {
            self.begin_probe(queue);
        }
        self.undecided.push(undecided);
        Judgement::Open
    }

    /// Takes the answer to a probe, and judges all that waited for it.
    pub(super) fn probed(&mut self, result: Result<(), EmbedError>) -> Judgement {
        self.probe = None;
        let result = result.map_err(EmbedError::refuses_everything);
        let (works, was_open) = (result.is_ok(), self.circuit.is_open());
        if let Err(error) = &result
            && !was_open
        {
            warn(error);
        }
        self.circuit.probed(result, Instant::now());
        if was_open && works && self.circuit.is_open() {
            return Judgement::Open; // The pause continues, and so does the wait.
        }
        let undecided = std::mem::take(&mut self.undecided);
        if works { Judgement::Documents(undecided) } else { Judgement::Provider(undecided) }
    }

    /// Returns the undecided failures: nothing will be decided any more.
    pub(super) fn give_up_deciding(&mut self) -> Vec<UndecidedFailure> {
        std::mem::take(&mut self.undecided)
    }

    /// Makes probes fail from now on if their vectors have another length.
    pub(super) fn expect_length(&mut self, length: u32) {
        self.length = Some(length);
    }

    /// Whether vectors of another length came, and the probe that tells what is to blame is under way.
    pub(super) fn may_be_another_model(&self) -> bool {
        self.length.is_some() && self.has_undecided()
    }

    /// Records a failure of the provider as a whole.
    pub(super) fn trip(&mut self, error: EmbedError) {
        if !self.circuit.is_open() {
            warn(&error);
        }
        self.circuit.trip(error, Instant::now());
    }

    /// Starts the probe that the circuit asks for, if it is due.
    pub(super) fn probe_if_due(&mut self, queue: &ActorRef<QueueMessage>) {
        let waited_for = self.has_undecided() && !self.circuit.is_open();
        if self.circuit.begin_probe(Instant::now()) || waited_for {
            self.begin_probe(queue);
        }
    }

    /// How long until [`ProviderState::probe_if_due`] has something to do.
    pub(super) fn next_probe(&self) -> Option<Duration> {
        self.circuit.next_probe(Instant::now())
    }

    pub(super) fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.undecided.iter().map(|undecided| &undecided.task.lease)
    }

    pub(super) fn has_undecided(&self) -> bool {
        !self.undecided.is_empty()
    }

    /// Returns what keeps the provider from being used.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let readiness = self.readiness.as_ref().map(|readiness| readiness.borrow().clone());
        match readiness {
            Some(Readiness::Loading(message)) => return Some(Trouble::Loading { message }),
            Some(Readiness::Failed(message)) => return Some(Trouble::Model { message }),
            Some(Readiness::Ready) | None => {}
        }
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let open = self.circuit.opened(Instant::now())?;
        Some(Trouble::Provider {
            kind: open.kind,
            message: open.message,
            open_ms: millis(open.since),
            next_probe_ms: millis(open.next_probe),
        })
    }

    fn note_trial(&mut self, undecided: &UndecidedFailure) {
        let task = undecided.task.lease.task_id;
        if undecided.gained {
            // The provider accepts its texts, and was only overloaded.
            self.trials_failed.remove(&task);
        } else if self.circuit.is_trial(task) {
            if self.trials_failed.len() >= MAX_TRIALS_REMEMBERED {
                self.trials_failed.clear();
            }
            *self.trials_failed.entry(task).or_default() += 1;
        }
    }

    fn begin_probe(&mut self, queue: &ActorRef<QueueMessage>) {
        if self.probe.as_ref().is_some_and(|probe| !probe.is_finished()) {
            return;
        }
        let (embedder, queue, length) = (Arc::clone(&self.embedder), queue.clone(), self.length);
        self.probe = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            let answer = catch_panic(tokio::time::timeout(PROBE_TIMEOUT, probe(embedder.as_ref(), length))).await;
            let result = match answer {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(EmbedError::transient(format!("no answer to a probe within {PROBE_TIMEOUT:?}"))),
                Err(panic) => Err(EmbedError::transient(format!("the probe panicked: {panic}"))),
            };
            let _ = queue.send_message(QueueMessage::Probed(result));
        })));
    }
}

/// Checks whether the provider embeds a harmless text, and its vector has this length.
async fn probe(embedder: &dyn Embedder, length: Option<u32>) -> Result<(), EmbedError> {
    let Some(stored) = length else { return embedder.probe().await };
    // Questions wait for no turn.
    let vectors = embedder.embed(&["probe".to_owned()], Purpose::Query).await?;
    match vectors.first().map(Vector::dimension) {
        Some(answered) if answered != stored => Err(EmbedError::other_model(answered, stored)),
        _ => Ok(()),
    }
}

/// Wakes the queue as soon as the model is ready.
async fn wake_when_ready(mut readiness: watch::Receiver<Readiness>, queue: ActorRef<QueueMessage>) {
    while readiness.changed().await.is_ok() {
        if *readiness.borrow_and_update() == Readiness::Ready {
            let _ = queue.send_message(QueueMessage::Wake);
        }
    }
}

fn warn(error: &EmbedError) {
    let pause = requested_pause(error);
    tracing::warn!(kind = %error.kind, error = error.message, ?pause, "the embedding provider fails; claiming stops");
}

pub(super) fn as_error(failure: &Failure) -> EmbedError {
    let Failure { kind, fault, message, retry_after } = failure.clone();
    EmbedError { kind, fault, message, retry_after, took: None }
}
