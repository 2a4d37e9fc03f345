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

use self::{minute::Minutes, tally::Tally};
use crate::{
    context::Context,
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
    /// Write the minute's rows now, and say when it is done.
    Flush(RpcReplyPort<()>),
    /// The present numbers.
    Snapshot(RpcReplyPort<MetricsSnapshot>),
    /// The health of the actor.
    Status(RpcReplyPort<ActorStatus>),
}

pub(crate) struct MetricsState {
    context: Arc<Context>,
    workers: BTreeMap<Slot, Tally>,
    minutes: Minutes,
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
            since: Instant::now(),
            last_error: None,
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<MetricsMessage>,
        message: MetricsMessage,
        state: &mut MetricsState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            MetricsMessage::Observed(observations) => state.observe(&observations),
            MetricsMessage::Write => state.write().await,
            MetricsMessage::Flush(reply) => {
                state.write().await;
                let _ = reply.send(());
            }
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

    async fn write(&mut self) {
        let rows = self.minutes.rows(&self.context.incarnation);
        if rows.is_empty() {
            return;
        }
        let written = self
            .context
            .database
            .write_behind::<_, StoreError, _>(move |transaction| {
                Box::pin(async move { metrics::write(transaction, &rows).await })
            })
            .await;
        match written {
            Ok(()) => {
                self.minutes.forget_written();
                self.last_error = None;
            }
            // The rows are kept and written next time.
            Err(error) => self.last_error = Some(format!("minute rows not written: {error}")),
        }
    }

    fn snapshot(&self) -> MetricsSnapshot {
        MetricsSnapshot::of(&self.workers, &self.minutes, self.since.elapsed())
    }

    fn status(&self) -> ActorStatus {
        ActorStatus::running("MetricsActor", self.since).degraded_by(self.last_error.as_ref())
    }
}
