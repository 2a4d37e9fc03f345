//! QueueActor: the one place of a host where tasks are claimed and ended.
//!
//! It gathers what its mailbox holds and commits it in one transaction: what has finished, then as many claims as
//! there are idle workers. Commits run beside the mailbox: a commit that takes long does not keep the
//! actor from answering, and what one commit did is told while the next one runs. What it remembers is a convenience; after a restart it gives back what its host holds and
//! begins from the rows.

mod apply;
mod decide;
mod flush;
mod place;
mod state;
mod tell;

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use super::worker::WorkerMessage;
use crate::{
    context::Context,
    embedder::EmbedError,
    store::hosts::WorkerRow,
    supervision::ActorStatus,
    task::{Finished, Lease, Slot},
};

pub(crate) use apply::{Applied, apply};
pub(crate) use decide::{Decided, Decision, blamed, decide, refunded};
use flush::Committed;
use state::QueueState;

/// Claims, commits, wakes.
pub(crate) struct QueueActor;

pub(crate) enum QueueMessage {
    /// There may be work.
    Wake,
    /// To itself: look whether there is work that nobody announced.
    Poll,
    /// To itself: commit what has been gathered.
    Flush,
    /// To itself: a commit has ended.
    Committed(u64, Box<Committed>),
    /// To itself: tell what a commit did.
    Tell(Vec<Arc<Decided>>, Box<Applied>),
    /// A worker is ready for a task.
    Idle(Slot, ActorRef<WorkerMessage>),
    /// A worker has ended an attempt.
    Finished(Box<Finished>),
    /// A worker has died.
    Lost(Slot, String),
    /// To itself: the provider has been probed.
    Probed(Result<(), EmbedError>),
    /// The leases this host works under.
    Held(RpcReplyPort<Vec<Lease>>),
    /// The workers as the queue sees them.
    Roster(RpcReplyPort<Vec<WorkerRow>>),
    /// Claim no more; answer when nothing is in work.
    Drain(RpcReplyPort<()>),
    /// Give back all that is still held, uncounted; answers how many tasks.
    Release(RpcReplyPort<u64>),
    /// How are you?
    Status(RpcReplyPort<ActorStatus>),
}

impl Actor for QueueActor {
    type Msg = QueueMessage;
    type State = QueueState;
    type Arguments = Arc<Context>;

    async fn pre_start(
        &self,
        myself: ActorRef<QueueMessage>,
        context: Arc<Context>,
    ) -> Result<QueueState, ActorProcessingErr> {
        myself.send_interval(context.settings.poll_interval, || QueueMessage::Poll);
        Ok(QueueState::new(context))
    }

    async fn handle(
        &self,
        myself: ActorRef<QueueMessage>,
        message: QueueMessage,
        state: &mut QueueState,
    ) -> Result<(), ActorProcessingErr> {
        state.context.addresses.queue.taken();
        match message {
            QueueMessage::Wake => state.wake(&myself),
            QueueMessage::Poll => state.poll(&myself).await,
            QueueMessage::Flush => state.flush(&myself),
            QueueMessage::Committed(number, end) => state.committed(&myself, number, *end),
            QueueMessage::Tell(batch, applied) => state.tell(&myself, &batch, &applied),
            QueueMessage::Idle(slot, worker) => state.idle(&myself, slot, worker),
            QueueMessage::Finished(finished) => state.finished(&myself, *finished),
            QueueMessage::Lost(slot, reason) => state.vacated(&myself, slot, &reason),
            QueueMessage::Probed(result) => state.probed(&myself, result),
            QueueMessage::Held(reply) => drop(reply.send(state.held())),
            QueueMessage::Roster(reply) => drop(reply.send(state.roster())),
            QueueMessage::Drain(reply) => state.drain(reply),
            QueueMessage::Release(reply) => drop(reply.send(state.release().await)),
            QueueMessage::Status(reply) => drop(reply.send(state.status())),
        }
        Ok(())
    }
}
