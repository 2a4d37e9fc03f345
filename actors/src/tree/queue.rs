//! QueueActor: the one place of a host where tasks are claimed and ended.
//!
//! It gathers what its mailbox holds and commits it in one transaction: what has finished, then as many claims as there
//! are idle workers. No handler waits for the database: commits and looks run beside the mailbox and come back as
//! messages, and what one commit did is told while the next one runs. What it remembers is a convenience; after a
//! restart it gives back what its host holds and begins from the rows.
//!
//! - `roster`: the workers, and what each works on
//! - `commits`: what is gathered, what is under way, and the database's outage
//! - `provider`: the circuit, the probe, and whom a failure is blamed on
//! - `second`: work for the set in use, where that is not the own model's
//! - `salvage`: vectors of attempts that failed

mod commits;
mod look;
mod place;
mod provider;
mod roster;
mod salvage;
mod second;
mod state;
mod tell;

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use super::{
    heartbeat::HeartbeatMessage, metrics::MetricsMessage, worker::WorkerMessage,
    worker_supervisor::WorkerSupervisorMessage,
};
use crate::{
    context::Context,
    embedder::EmbedError,
    settlement::{Applied, Gathered},
    store::{StoreError, hosts::WorkerRow},
    supervision::{ActorStatus, Address},
    task::{Finished, Lease, Slot},
};

use commits::Committed;
use look::Look;
use state::QueueState;

/// Claims, commits, wakes.
pub(crate) struct QueueActor;

pub(crate) struct QueueArguments {
    pub(crate) context: Arc<Context>,
    /// Asked which workers there are.
    pub(crate) workers: Address<WorkerSupervisorMessage>,
    /// Told of attempts that have ended.
    pub(crate) metrics: Address<MetricsMessage>,
    /// Told when other processes should see a change at once.
    pub(crate) heartbeat: Address<HeartbeatMessage>,
}

pub(crate) enum QueueMessage {
    /// There may be work.
    Wake,
    /// To itself: look whether there is work that was not announced.
    Poll,
    /// To itself: a look has ended.
    Looked(Result<Look, StoreError>),
    /// To itself: commit what has been gathered.
    Flush,
    /// To itself: a commit has ended.
    Committed(u64, Box<Committed>),
    /// To itself: tell what a commit did.
    Tell(Vec<Gathered>, Box<Applied>),
    /// This worker fills the slot.
    Seated(Slot, ActorRef<WorkerMessage>),
    /// The worker of this slot has died.
    Vacated(Slot, String),
    /// All workers are gone with their supervisor.
    Dismissed,
    /// A worker has ended an attempt.
    Finished(Box<Finished>),
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
    /// The health of the actor.
    Status(RpcReplyPort<ActorStatus>),
}

impl Actor for QueueActor {
    type Msg = QueueMessage;
    type State = QueueState;
    type Arguments = QueueArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<QueueMessage>,
        arguments: QueueArguments,
    ) -> Result<QueueState, ActorProcessingErr> {
        let _ = myself.send_message(QueueMessage::Poll);
        myself.send_interval(arguments.context.settings.poll_interval, || QueueMessage::Poll);
        Ok(QueueState::new(arguments, myself))
    }

    async fn handle(
        &self,
        _myself: ActorRef<QueueMessage>,
        message: QueueMessage,
        state: &mut QueueState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            QueueMessage::Wake => state.wake(),
            QueueMessage::Poll => state.poll(),
            QueueMessage::Looked(look) => state.looked(look),
            QueueMessage::Flush => state.flush(),
            QueueMessage::Committed(number, end) => state.committed(number, *end),
            QueueMessage::Tell(batch, applied) => state.tell(&batch, &applied),
            QueueMessage::Seated(slot, worker) => state.seated(slot, worker),
            QueueMessage::Vacated(slot, reason) => state.vacated(slot, &reason),
            QueueMessage::Dismissed => state.dismissed(),
            QueueMessage::Finished(finished) => state.finished(*finished),
            QueueMessage::Probed(result) => state.probed(result),
            QueueMessage::Held(reply) => drop(reply.send(state.held())),
            QueueMessage::Roster(reply) => drop(reply.send(state.roster.rows())),
            QueueMessage::Drain(reply) => state.drain(reply),
            QueueMessage::Release(reply) => drop(reply.send(state.release().await)),
            QueueMessage::Status(reply) => drop(reply.send(state.status())),
        }
        Ok(())
    }
}
