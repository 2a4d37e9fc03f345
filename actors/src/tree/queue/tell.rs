//! Reports what a commit did: log, metrics, subscribers.

use std::{collections::HashMap, time::Duration};

use ractor::ActorRef;

use super::state::QueueState;
use crate::{
    embedder::ErrorKind,
    event::TaskEvent,
    settlement::{CommitItem, CommitResult, DecidedAttempt},
    store::settle::{Next, SettledTask},
    task::{ClaimedTask, TaskStatus},
    tree::{
        messages::QueueMessage,
        metrics::{MetricsMessage, Observation},
    },
};

impl QueueState {
    /// Writes the log, informs metrics and subscribers, and sets the timers of what has to be tried again.
    pub(super) fn tell(&mut self, batch: &[CommitItem], applied: &CommitResult) {
        let settled: HashMap<_, _> = applied.settled.iter().map(|settled| (settled.task_id, settled)).collect();
        let mut observations = Vec::with_capacity(batch.len());
        for CommitItem { decided, .. } in batch {
            let Some(settled) = settled.get(&decided.task.lease.task_id) else {
                tracing::warn!(
                    task = decided.task.lease.task_id,
                    "an attempt ended after its lease expired; nothing was written"
                );
                continue;
            };
            let error = decided.error.clone();
            log(decided, settled, error.as_ref());
            observations.push(observation(decided, settled));
            self.arguments.context.publish(event(&decided.task, settled.status, settled.attempts, error));
            wake_for_retry(&self.myself, decided, settled);
        }
        if !observations.is_empty() {
            self.arguments.metrics.send(MetricsMessage::Observed(observations));
        }
        self.answer_drained();
    }

    /// Reports that a worker begins with `task`.
    pub(super) fn tell_started(&self, task: &ClaimedTask) {
        tracing::info!(
            task = task.lease.task_id,
            article = task.slug,
            attempt = task.attempt,
            slot = task.slot,
            trace = task.trace_id,
            "embedding started"
        );
        self.arguments.context.publish(event(task, TaskStatus::Processing, task.attempt, None));
    }
}

fn event(task: &ClaimedTask, status: TaskStatus, attempts: u32, error: Option<(ErrorKind, String)>) -> TaskEvent {
    let (error_kind, error) = error.unzip();
    TaskEvent {
        task_id: task.lease.task_id,
        article_id: task.article_id,
        slug: task.slug.clone(),
        status,
        attempts,
        error_kind,
        error,
    }
}

fn log(decided: &DecidedAttempt, settled: &SettledTask, error: Option<&(ErrorKind, String)>) {
    let DecidedAttempt { task, elapsed, cause, .. } = decided;
    let (id, article, attempt, trace) = (task.lease.task_id, &task.slug, task.attempt, &task.trace_id);
    match error {
        None => tracing::info!(task = id, %article, attempt, trace, ?elapsed, status = %settled.status, cause,
            "embedding ended"),
        Some((kind, message)) => tracing::warn!(task = id, %article, attempt, max_attempts = task.max_attempts, trace,
            ?elapsed, status = %settled.status, %kind, error = message, "embedding failed"),
    }
}

fn observation(decided: &DecidedAttempt, settled: &SettledTask) -> Observation {
    Observation {
        slot: decided.task.slot,
        status: settled.status,
        processing: decided.elapsed,
        waited: decided.task.waited,
    }
}

fn wake_for_retry(myself: &ActorRef<QueueMessage>, decided: &DecidedAttempt, settled: &SettledTask) {
    let (Next::Retry { delay } | Next::Refund { delay }) = decided.next else { return };
    if settled.status == TaskStatus::Pending {
        // A little late rather than a little early: an early look finds nothing and waits for the poll.
        myself.send_after(delay + Duration::from_millis(2), || QueueMessage::Wake);
    }
}
