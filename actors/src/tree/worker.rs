//! WorkerActor: one slot, one task at a time.
//!
//! The attempt runs beside the mailbox, so that the actor can answer while it works; it ends with the actor. A panic in
//! the model is an outcome, not the end of the actor.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::messages::{AttemptResult, QueueMessage, WorkerMessage};
use crate::{
    context::Context,
    embedder::{EmbedError, Fault},
    outcome::{FinishedAttempt, Outcome},
    panics::catch_panic,
    pipeline::Pipeline,
    supervision::{ActorStatus, Address},
    task::{ArticleSnapshot, ClaimedTask, Failure, Slot, Vectors},
};

/// Works on the tasks that it is given.
pub(crate) struct WorkerActor;

pub(crate) struct WorkerArguments {
    pub(crate) slot: Slot,
    pub(crate) context: Arc<Context>,
    pub(crate) queue: Address<QueueMessage>,
}

pub(crate) struct WorkerState {
    slot: Slot,
    context: Arc<Context>,
    queue: Address<QueueMessage>,
    job: Option<Job>,
    since: Instant,
}

struct Job {
    task: ClaimedTask,
    begun: Instant,
    _attempt: Option<AbortOnDropHandle<()>>,
}

impl Actor for WorkerActor {
    type Msg = WorkerMessage;
    type State = WorkerState;
    type Arguments = WorkerArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<WorkerMessage>,
        WorkerArguments { slot, context, queue }: WorkerArguments,
    ) -> Result<WorkerState, ActorProcessingErr> {
        Ok(WorkerState { slot, context, queue, job: None, since: Instant::now() })
    }

    async fn handle(
        &self,
        myself: ActorRef<WorkerMessage>,
        message: WorkerMessage,
        state: &mut WorkerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            WorkerMessage::Embed(task, made) => {
                afterword_faults::point!("worker.given", std::convert::identity::<String>);
                state.begin(&myself, *task, made);
            }
            WorkerMessage::Ended(ended) => state.end(ended),
            WorkerMessage::Status(reply) => drop(reply.send(state.status())),
        }
        Ok(())
    }
}

impl WorkerState {
    fn begin(&mut self, myself: &ActorRef<WorkerMessage>, task: ClaimedTask, mut made: Vectors) {
        self.since = Instant::now();
        let Some(pipeline) = self.context.pipeline(task.model_id) else {
            self.job = Some(Job { task, begun: Instant::now(), _attempt: None });
            let outcome =
                Outcome::Failed(EmbedError::unavailable("this host does not have the model of this task").into());
            return self.end(AttemptResult { outcome, made, gained: false });
        };
        let limit = self.context.settings.max_processing_time;
        if task.subject != ArticleSnapshot::Changed {
            // Nothing to embed: without spawning a task, a queue of such tasks is done very fast.
            self.job = Some(Job { task: task.clone(), begun: Instant::now(), _attempt: None });
            let outcome = pipeline.run(&task, &mut made, limit).now_or_never();
            let outcome = outcome.unwrap_or_else(|| crashed("an attempt without embedding had to wait"));
            return self.end(AttemptResult { outcome, made, gained: false });
        }
        let (myself, given) = (myself.clone(), task.clone());
        let is_watched = task.model_id == self.context.model_row.id;
        let attempt = AbortOnDropHandle::new(tokio::spawn(async move {
            let before = made.len();
            let outcome = attempt(&pipeline, &given, limit, &mut made).await;
            let outcome = if is_watched { outcome } else { with_its_fault(&pipeline, outcome).await };
            let gained = made.len() > before;
            // If the actor is gone, its supervisor has told the queue.
            let _ = myself.send_message(WorkerMessage::Ended(AttemptResult { outcome, made, gained }));
        }));
        self.job = Some(Job { task, begun: Instant::now(), _attempt: Some(attempt) });
    }

    fn end(&mut self, AttemptResult { outcome, made, gained }: AttemptResult) {
        self.since = Instant::now();
        let Some(Job { task, begun, .. }) = self.job.take() else { return };
        let finished = FinishedAttempt { task, outcome, elapsed: begun.elapsed(), made, gained };
        self.queue.send(QueueMessage::Finished(Box::new(finished)));
    }

    fn status(&self) -> ActorStatus {
        let doing = self
            .job
            .as_ref()
            .map(|job| format!("task {} ({}), attempt {}", job.task.lease.task_id, job.task.slug, job.task.attempt));
        ActorStatus { doing, ..ActorStatus::running(format!("WorkerActor {}", self.slot), self.since) }
    }
}

async fn attempt(pipeline: &Pipeline, task: &ClaimedTask, limit: Duration, made: &mut Vectors) -> Outcome {
    catch_panic(pipeline.run(task, made, limit)).await.unwrap_or_else(|panic| crashed(&panic))
}

/// The circuit watches the provider of the host's own model only. Whether a failure of another one's is its fault, one
/// probe tells while the task is still here.
async fn with_its_fault(pipeline: &Pipeline, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Failed(failure) if failure.fault == Fault::Unclear && !pipeline.provider_works().await => {
            Outcome::Failed(Failure { fault: Fault::Provider, ..failure })
        }
        other => other,
    }
}

fn crashed(what: &str) -> Outcome {
    Outcome::Failed(EmbedError::crashed(format!("the worker panicked: {what}")).into())
}
