//! What becomes of attempts: which worker has a task, how it ended, and what pays for a failure.

use std::time::Duration;

use ractor::ActorRef;
use tokio::time::Instant;

use super::{
    provider::{Judgement, UndecidedFailure, as_error},
    state::QueueState,
};
use crate::{
    embedder::{EmbedError, Fault},
    outcome::{FinishedAttempt, Outcome},
    settlement::{self, Decision, WrongLength, decide},
    task::{ClaimedTask, Failure, Slot},
    tree::messages::{HeartbeatMessage, QueueMessage, WorkerMessage},
};

impl QueueState {
    pub(super) fn seated(&mut self, slot: Slot, worker: ActorRef<WorkerMessage>) {
        if let Some(task) = self.roster.seat(slot, worker) {
            self.commits.gather([settlement::returned(task)]);
        }
        self.wake();
    }

    pub(super) fn vacated(&mut self, slot: Slot, reason: &str) {
        let Some(task) = self.roster.vacate(slot, reason) else { return };
        let failure = Failure::from(EmbedError::crashed(format!("the worker died: {reason}")));
        let retry = self.arguments.context.settings.retry;
        self.commits.gather([settlement::blamed(task, Duration::ZERO, failure, retry)]);
        self.schedule_flush();
    }

    pub(super) fn dismissed(&mut self) {
        let tasks = self.roster.dismiss();
        self.commits.gather(tasks.into_iter().map(settlement::returned));
        self.schedule_flush();
    }

    pub(super) fn finished(&mut self, finished: FinishedAttempt) {
        if !self.roster.end(&finished) {
            return;
        }
        if finished.task.model_id != self.arguments.context.model_row.id {
            return self.finished_for_active_set(finished);
        }
        let FinishedAttempt { task, outcome, elapsed, made, gained } = finished;
        let failed = matches!(outcome, Outcome::Failed(_));
        let gained = failed && self.salvage.keep(task.article_id, made) && gained;
        match decide(task, elapsed, outcome, self.arguments.context.settings.retry) {
            Decision::Commit(decided) => self.commits.gather([decided]),
            Decision::Ask(task, elapsed, failure) => {
                self.undecided(UndecidedFailure { task, elapsed, failure, gained });
            }
        }
        self.schedule_probe();
        self.schedule_flush();
    }

    /// Vectors of another length than those of their set are one text's fault, or the model behind the name has
    /// changed: a probe tells which.
    pub(super) fn odd_length(&mut self, task: &ClaimedTask, elapsed: Duration, wrong: &WrongLength) {
        let &WrongLength { answered, stored, .. } = wrong;
        if task.model_id != self.arguments.context.model_row.id {
            let error = EmbedError::other_model(answered, stored);
            self.rest_active_provider(task.model_id, &error);
            return self.commits.gather([settlement::refunded(task.clone(), elapsed, error.into())]);
        }
        self.provider.expect_length(stored);
        let failure = settlement::odd_length(task, answered, stored);
        self.undecided(UndecidedFailure { task: task.clone(), elapsed, failure, gained: false });
    }

    fn undecided(&mut self, undecided: UndecidedFailure) {
        if self.drain.begun {
            // A shutdown waits for no probe.
            return self.judged(Judgement::Provider(vec![undecided]));
        }
        let was_open = self.provider.is_open();
        let judgement = self.provider.failed(undecided, &self.myself);
        self.judged(judgement);
        self.show_change(was_open);
    }

    pub(super) fn probed(&mut self, result: Result<(), EmbedError>) {
        let was_open = self.provider.is_open();
        let judgement = self.provider.probed(result);
        self.judged(judgement);
        self.show_change(was_open);
        self.schedule_probe();
        self.schedule_flush();
    }

    /// Lets other processes see at once that the provider fails, or works again.
    fn show_change(&self, was_open: bool) {
        if self.provider.is_open() != was_open {
            self.arguments.heartbeat.send(HeartbeatMessage::Beat);
        }
    }

    pub(super) fn judged(&mut self, judgement: Judgement) {
        let retry = self.arguments.context.settings.retry;
        match judgement {
            Judgement::Open => {}
            Judgement::Provider(all) => {
                let refunded = |u: UndecidedFailure| settlement::refunded(u.task, u.elapsed, u.failure);
                self.commits.gather(all.into_iter().map(refunded));
            }
            Judgement::Documents(all) => {
                let pays = |u: UndecidedFailure| match u.gained {
                    true => settlement::continued(u.task, u.elapsed, u.failure, retry),
                    false => settlement::blamed(u.task, u.elapsed, u.failure, retry),
                };
                self.commits.gather(all.into_iter().map(pays));
            }
        }
    }

    pub(super) fn schedule_probe(&mut self) {
        let Some(delay) = self.provider.next_probe() else { return };
        let now = Instant::now();
        // Each commit asks for it: one timer is enough, unless the probe is to come earlier.
        if self.probe_at.is_none_or(|at| at <= now || at > now + delay) {
            self.probe_at = Some(now + delay);
            self.myself.send_after(delay, || QueueMessage::Poll);
        }
    }

    /// Ends an attempt for the set in use, if that is not the own model's. The worker has found out what is to blame:
    /// its provider's failure costs the document nothing.
    pub(super) fn finished_for_active_set(&mut self, finished: FinishedAttempt) {
        let FinishedAttempt { task, outcome, elapsed, .. } = finished;
        let retry = self.arguments.context.settings.retry;
        let decided = match decide(task, elapsed, outcome, retry) {
            Decision::Commit(decided) => decided,
            Decision::Ask(task, elapsed, failure) => match failure.fault {
                Fault::Provider => {
                    self.rest_active_provider(task.model_id, &as_error(&failure));
                    settlement::refunded(task, elapsed, failure)
                }
                Fault::Document | Fault::Unclear => settlement::blamed(task, elapsed, failure, retry),
            },
        };
        self.commits.gather([decided]);
        self.schedule_flush();
    }

    /// Leaves the provider of the set in use alone for a while; the own model's work continues.
    fn rest_active_provider(&mut self, set: i64, error: &EmbedError) {
        let set_model = self.arguments.context.sets.set_model(set);
        let model = set_model
            .map_or_else(|| format!("set {set}"), |set_model| set_model.model.embedder.identity().model.clone());
        if self.active_set.rest(model, error, &self.myself) {
            // Other processes see at once that it fails.
            self.arguments.heartbeat.send(HeartbeatMessage::Beat);
        }
    }
}
