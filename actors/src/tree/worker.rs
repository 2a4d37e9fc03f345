//! WorkerActor: one slot, one task at a time.
//!
//! The attempt runs beside the mailbox, so that the actor answers while it works; it ends with the actor. A panic in
//! the model is an outcome, not the end of the actor.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use super::{owned::Owned, queue::QueueMessage};
use crate::{
    context::Context,
    embedder::EmbedError,
    pipeline::Pipeline,
    supervision::ActorStatus,
    task::{ClaimedTask, Finished, Outcome, Slot, Subject},
};

/// Works on what it is given.
pub(crate) struct WorkerActor;

pub(crate) struct WorkerArguments {
    pub(crate) slot: Slot,
    pub(crate) context: Arc<Context>,
}

pub(crate) enum WorkerMessage {
    /// Work on this task.
    Embed(Box<ClaimedTask>),
    /// To itself: the attempt has ended.
    Ended(Outcome),
    /// How are you?
    Status(RpcReplyPort<ActorStatus>),
}

pub(crate) struct WorkerState {
    slot: Slot,
    context: Arc<Context>,
    pipeline: Pipeline,
    job: Option<Job>,
    since: Instant,
}

struct Job {
    task: ClaimedTask,
    begun: Instant,
    _attempt: Option<Owned>,
}

impl Actor for WorkerActor {
    type Msg = WorkerMessage;
    type State = WorkerState;
    type Arguments = WorkerArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<WorkerMessage>,
        WorkerArguments { slot, context }: WorkerArguments,
    ) -> Result<WorkerState, ActorProcessingErr> {
        let pipeline = context.pipeline();
        Ok(WorkerState { slot, context, pipeline, job: None, since: Instant::now() })
    }

    async fn post_start(
        &self,
        myself: ActorRef<WorkerMessage>,
        state: &mut WorkerState,
    ) -> Result<(), ActorProcessingErr> {
        state.context.addresses.queue.send(QueueMessage::Idle(state.slot, myself));
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<WorkerMessage>,
        message: WorkerMessage,
        state: &mut WorkerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            WorkerMessage::Embed(task) => state.begin(&myself, *task),
            WorkerMessage::Ended(outcome) => state.end(outcome),
            WorkerMessage::Status(reply) => {
                let _ = reply.send(state.status());
            }
        }
        Ok(())
    }
}

impl WorkerState {
    fn begin(&mut self, myself: &ActorRef<WorkerMessage>, task: ClaimedTask) {
        self.since = Instant::now();
        if task.subject != Subject::Changed {
            // Nothing to embed: no need for a task of its own, which is what lets a queue of no-ops fly.
            self.job = Some(Job { task: task.clone(), begun: Instant::now(), _attempt: None });
            let outcome = self.pipeline.run(&task).now_or_never();
            return self.end(outcome.unwrap_or_else(|| crashed("an attempt without embedding had to wait")));
        }
        let (pipeline, limit) = (self.pipeline.clone(), self.context.settings.max_processing_time);
        let (myself, given) = (myself.clone(), task.clone());
        let attempt = Owned::spawn(async move {
            let outcome = attempt(&pipeline, &given, limit).await;
            // If the actor has gone, its lease is somebody else's business.
            let _ = myself.send_message(WorkerMessage::Ended(outcome));
        });
        self.job = Some(Job { task, begun: Instant::now(), _attempt: Some(attempt) });
    }

    fn end(&mut self, outcome: Outcome) {
        self.since = Instant::now();
        let Some(Job { task, begun, .. }) = self.job.take() else { return };
        let finished = Finished { task, outcome, elapsed: begun.elapsed() };
        self.context.addresses.queue.send(QueueMessage::Finished(Box::new(finished)));
    }

    fn status(&self) -> ActorStatus {
        let for_ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let doing = self
            .job
            .as_ref()
            .map(|job| format!("task {} ({}), attempt {}", job.task.lease.task_id, job.task.slug, job.task.attempt));
        ActorStatus { doing, ..ActorStatus::running(format!("WorkerActor {}", self.slot), for_ms) }
    }
}

async fn attempt(pipeline: &Pipeline, task: &ClaimedTask, limit: std::time::Duration) -> Outcome {
    let work = AssertUnwindSafe(tokio::time::timeout(limit, pipeline.run(task))).catch_unwind();
    match work.await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Outcome::Failed(
            EmbedError::transient(format!("gave up after {limit:?}, the limit queue.max_processing_time")).into(),
        ),
        Err(panic) => crashed(&panic_text(panic.as_ref())),
    }
}

fn crashed(what: &str) -> Outcome {
    Outcome::Failed(EmbedError::crashed(format!("the worker panicked: {what}")).into())
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "no message".to_owned())
}
