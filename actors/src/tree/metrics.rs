//! MetricsActor: how long tasks take and wait, how many succeed, per worker and in total.
//!
//! It only counts; nothing that it learns or forgets changes a task.

mod minute;
mod observation;
mod snapshot;
mod tally;

use std::{collections::BTreeMap, sync::Arc};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use self::{minute::Minutes, tally::Tally};
use crate::{
    context::Context,
    panics::catch_panic,
    store::{StoreError, metrics},
    supervision::ActorStatus,
    task::Slot,
};

pub(crate) use observation::Observation;
pub use snapshot::{Distribution, MetricsSnapshot, WorkerMetrics};

/// Counts.
pub(crate) struct MetricsActor;

pub(crate) enum MetricsMessage {
    /// These attempts have ended.
    Observed(Vec<Observation>),
    /// To itself: write the minute's rows.
    Write,
    /// To itself: how writing them has ended.
    Written(Result<WrittenRows, StoreError>),
    /// Write the minute's rows now, and say when it is done.
    Flush(RpcReplyPort<()>),
    /// The present numbers.
    Snapshot(RpcReplyPort<MetricsSnapshot>),
    /// The health of the actor.
    Status(RpcReplyPort<ActorStatus>),
}

/// The rows that the database has.
pub(crate) struct WrittenRows {
    /// The minute in which they were taken: those of earlier ones are complete.
    taken_in: i64,
}

pub(crate) struct MetricsState {
    context: Arc<Context>,
    workers: BTreeMap<Slot, Tally>,
    minutes: Minutes,
    /// Beside the mailbox: an answer with the numbers does not wait for the database.
    writing: Option<AbortOnDropHandle<()>>,
    /// Answered when what is being written is written.
    flushed_by_this: Vec<RpcReplyPort<()>>,
    /// Asked for since.
    flushed_by_next: Vec<RpcReplyPort<()>>,
    since: Instant,
    last_error: Option<String>,
}

impl Actor for MetricsActor {
    type Msg = MetricsMessage;
    type State = MetricsState;
    type Arguments = Arc<Context>;

    async fn pre_start(
        &self,
        myself: ActorRef<MetricsMessage>,
        context: Arc<Context>,
    ) -> Result<MetricsState, ActorProcessingErr> {
        myself.send_interval(context.settings.metrics_interval, || MetricsMessage::Write);
        Ok(MetricsState {
            context,
            workers: BTreeMap::new(),
            minutes: Minutes::default(),
            writing: None,
            flushed_by_this: Vec::new(),
            flushed_by_next: Vec::new(),
            since: Instant::now(),
            last_error: None,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<MetricsMessage>,
        message: MetricsMessage,
        state: &mut MetricsState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            MetricsMessage::Observed(observations) => state.observe(&observations),
            MetricsMessage::Write => state.write(&myself),
            MetricsMessage::Flush(reply) => {
                state.flushed_by_next.push(reply);
                state.write(&myself);
            }
            MetricsMessage::Written(result) => state.written(&myself, result),
            MetricsMessage::Snapshot(reply) => drop(reply.send(state.snapshot())),
            MetricsMessage::Status(reply) => drop(reply.send(state.status())),
        }
        Ok(())
    }
}

impl MetricsState {
    fn observe(&mut self, observations: &[Observation]) {
        for observation in observations {
            self.workers.entry(observation.slot).or_default().record(observation);
            self.minutes.record(observation);
        }
    }

    fn write(&mut self, myself: &ActorRef<MetricsMessage>) {
        if self.writing.is_some() {
            return;
        }
        let (taken_in, rows) = self.minutes.rows(&self.context.incarnation);
        self.flushed_by_this.append(&mut self.flushed_by_next);
        if rows.is_empty() {
            return self.answer_flushed();
        }
        let (context, myself) = (Arc::clone(&self.context), myself.clone());
        self.writing = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            let written =
                context.database.write_behind(async move |transaction| metrics::write(transaction, &rows).await);
            let panicked = |text| StoreError::Failed(format!("writing the minute rows panicked: {text}"));
            let result = catch_panic(written).await.map_err(panicked).flatten();
            let _ = myself.send_message(MetricsMessage::Written(result.map(|_| WrittenRows { taken_in })));
        })));
    }

    fn written(&mut self, myself: &ActorRef<MetricsMessage>, result: Result<WrittenRows, StoreError>) {
        self.writing = None;
        match result {
            Ok(WrittenRows { taken_in }) => {
                self.minutes.forget_before(taken_in);
                self.last_error = None;
            }
            // The rows are kept and written next time.
            Err(error) => self.last_error = Some(format!("minute rows not written: {error}")),
        }
        self.answer_flushed();
        if !self.flushed_by_next.is_empty() {
            self.write(myself);
        }
    }

    fn answer_flushed(&mut self) {
        for reply in self.flushed_by_this.drain(..) {
            let _ = reply.send(());
        }
    }

    fn snapshot(&self) -> MetricsSnapshot {
        MetricsSnapshot::of(&self.workers, &self.minutes, self.since.elapsed())
    }

    fn status(&self) -> ActorStatus {
        ActorStatus::running("MetricsActor", self.since).degraded_by(self.last_error.as_ref())
    }
}
