//! One commit: what has finished, then new claims; and the telling of it.

use std::{sync::Arc, time::Duration};

use ractor::ActorRef;
use tokio::time::Instant;

use super::{
    super::{
        metrics::{MetricsMessage, Observation},
        worker::WorkerMessage,
    },
    Applied, Decided, QueueMessage, apply,
    state::{Outage, QueueState},
};
use crate::{
    embedder::{EmbedError, ErrorKind},
    event::TaskEvent,
    store::{
        StoreError, Transaction,
        claim::{Claim, claim},
        leases,
        settle::{Next, Settled},
        sql::{Number, Sql},
    },
    task::{ClaimedTask, Slot, TaskStatus},
};

impl QueueState {
    /// Looks whether there is work that nobody announced: another process queued it, or its time has come.
    pub(super) async fn poll(&mut self, myself: &ActorRef<QueueMessage>) {
        self.probe_if_due(myself);
        if self.outage.is_some() || self.flush_scheduled {
            return;
        }
        if !self.recovered || !self.decided.is_empty() {
            return self.schedule_flush(myself);
        }
        // A look costs no write lock; a claim does.
        if !self.claimable_slots().is_empty() {
            match self.context.database.reader().row::<Number>(DUE, []).await {
                Ok(Some(_)) => self.schedule_flush(myself),
                Ok(None) => {}
                Err(error) => self.database_failed(myself, error),
            }
        }
    }

    /// Commits what has been gathered and claims for the idle.
    pub(super) async fn flush(&mut self, myself: &ActorRef<QueueMessage>) {
        self.flush_scheduled = false;
        let batch = std::mem::take(&mut self.decided);
        let slots = self.claimable_slots();
        if batch.is_empty() && slots.is_empty() && self.recovered {
            return;
        }
        let (asked, from) = (slots.len(), self.place.next());
        match self.commit(batch.clone(), slots, from).await {
            Ok((applied, claimed)) => {
                self.database_answered();
                self.recovered = true;
                self.tell(myself, &batch, &applied);
                let more = self.place.claimed(from, asked, &claimed);
                self.hand_out(claimed);
                if more {
                    self.schedule_flush(myself);
                }
                self.schedule_probe(myself);
                self.answer_drained();
            }
            Err(error) => {
                // Nothing was committed, or the fence will show that it was: both are safe to repeat.
                self.decided = batch;
                self.database_failed(myself, error);
            }
        }
    }

    async fn commit(
        &self,
        batch: Vec<Arc<Decided>>,
        slots: Vec<Slot>,
        from: Option<i64>,
    ) -> Result<(Applied, Vec<ClaimedTask>), StoreError> {
        let context = Arc::clone(&self.context);
        let recover = !self.recovered;
        self.context
            .database
            .write_behind(move |transaction| {
                Box::pin(async move {
                    if recover {
                        give_back(transaction, &context.incarnation).await?;
                    }
                    let applied = apply(transaction, &batch, context.model_row.id).await?;
                    let claim_for = Claim {
                        incarnation: &context.incarnation,
                        slots: &slots,
                        lease: context.settings.lease,
                        from,
                        model_id: context.model_row.id,
                    };
                    let claimed = if slots.is_empty() { Vec::new() } else { claim(transaction, claim_for).await? };
                    Ok((applied, claimed))
                })
            })
            .await
    }

    fn hand_out(&mut self, claimed: Vec<ClaimedTask>) {
        for task in claimed {
            tracing::info!(
                task = task.lease.task_id,
                article = task.slug,
                attempt = task.attempt,
                slot = task.slot,
                trace = task.trace_id,
                "embedding started"
            );
            self.context.publish(event(&task, TaskStatus::Processing, task.attempt, None));
            let (slot, worker) = (task.slot, self.workers.get(&task.slot));
            if let Some(worker) = worker {
                // A worker that died a moment ago is reported as lost, and its task with it.
                let _ = worker.send_message(WorkerMessage::Embed(Box::new(task.clone())));
            }
            self.running.insert(slot, task);
        }
    }

    /// Log, metrics, subscribers, and the timers of what has to be tried again.
    fn tell(&mut self, myself: &ActorRef<QueueMessage>, batch: &[Arc<Decided>], applied: &Applied) {
        if let Some(message) = &applied.wrong_dimension {
            self.trip(EmbedError::config(message.clone()));
        }
        let mut observations = Vec::with_capacity(batch.len());
        for decided in batch {
            let Some(settled) = applied.settled.iter().find(|s| s.task_id == decided.task.lease.task_id) else {
                tracing::warn!(task = decided.task.lease.task_id, "an attempt ended after its lease; nothing written");
                continue;
            };
            let error = error_of(decided, settled, applied);
            log(decided, settled, error.as_ref());
            observations.push(observation(decided, settled));
            self.context.publish(event(&decided.task, settled.status, settled.attempts, error));
            wake_for_retry(myself, decided, settled);
        }
        if !observations.is_empty() {
            self.context.addresses.metrics.send(MetricsMessage::Observed(observations));
        }
    }

    fn database_answered(&mut self) {
        if let Some(outage) = self.outage.take() {
            tracing::info!(lasted = ?outage.since.elapsed(), "the database answers again");
            self.outage_delays.reset();
        }
    }

    fn database_failed(&mut self, myself: &ActorRef<QueueMessage>, error: StoreError) {
        if self.outage.is_none() {
            tracing::error!(%error, "the database fails; nothing is lost, the queue waits for it");
        }
        let since = self.outage.as_ref().map_or_else(Instant::now, |outage| outage.since);
        self.outage = Some(Outage { since, error });
        self.flush_scheduled = true;
        myself.send_after(self.outage_delays.next_delay(), || QueueMessage::Flush);
    }
}

const DUE: &str = "
    SELECT 1 AS n WHERE EXISTS (SELECT 1 FROM embedding_tasks WHERE status = 'pending' AND scheduled_at <= {now})
                    AND NOT EXISTS (SELECT 1 FROM queue_control WHERE key = 'paused')";

/// What an earlier life of this host's QueueActor held.
async fn give_back(transaction: &Transaction, incarnation: &str) -> Result<(), StoreError> {
    while !leases::release(transaction, incarnation).await?.is_empty() {}
    Ok(())
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

/// What went wrong: known before the commit, or seen only in it.
fn error_of(decided: &Decided, settled: &Settled, applied: &Applied) -> Option<(ErrorKind, String)> {
    let seen = applied.wrong_dimension.as_ref().filter(|_| settled.status == TaskStatus::Pending);
    decided.error.clone().or_else(|| seen.map(|message| (ErrorKind::Config, message.clone())))
}

fn log(decided: &Decided, settled: &Settled, error: Option<&(ErrorKind, String)>) {
    let Decided { task, elapsed, cause, .. } = decided;
    let (id, article, attempt, trace) = (task.lease.task_id, &task.slug, task.attempt, &task.trace_id);
    match error {
        None => tracing::info!(task = id, %article, attempt, trace, ?elapsed, status = %settled.status, cause,
            "embedding ended"),
        Some((kind, message)) => tracing::warn!(task = id, %article, attempt, max_attempts = task.max_attempts, trace,
            ?elapsed, status = %settled.status, %kind, error = message, "embedding failed"),
    }
}

fn observation(decided: &Decided, settled: &Settled) -> Observation {
    Observation {
        slot: decided.task.slot,
        status: settled.status,
        processing: decided.elapsed,
        waited: decided.task.waited,
    }
}

fn wake_for_retry(myself: &ActorRef<QueueMessage>, decided: &Decided, settled: &Settled) {
    let (Next::Retry { delay } | Next::Refund { delay }) = decided.next else { return };
    if settled.status == TaskStatus::Pending {
        // A little late rather than a little early: an early look finds nothing and waits for the poll.
        myself.send_after(delay + Duration::from_millis(2), || QueueMessage::Wake);
    }
}
