//! QueueActor: the one place of a host where tasks are claimed and ended.
//!
//! It gathers what its mailbox contains and commits it in one transaction: what has finished, then as many claims as
//! there are idle workers. No handler waits for the database: commits and looks run beside the mailbox and come back as
//! messages, and the result of one commit is reported while the next one runs. What it remembers is a convenience;
//! after a restart it releases the tasks of its host and begins from the rows.
//!
//! What it remembers is `state`. Its parts do not know each other:
//! - `roster`: the workers, and what each works on
//! - `commits`: what is gathered, what is under way, and the database's outage
//! - `provider`: the circuit, the probe, and what a failure is blamed on
//! - `active_set`: the set in use, if that is not the own model's
//! - `salvage`: vectors of attempts that failed
//! - `claim_cursor`: where in the queue a claim begins
//!
//! What it does: `look` finds work, `flush` commits and claims, `attempts` judges what has ended, `tell` reports what a
//! commit did, `drain` ends it all.

mod active_set;
mod attempts;
mod claim_cursor;
mod commits;
mod drain;
mod flush;
mod look;
mod provider;
mod roster;
mod salvage;
mod state;
mod tell;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::messages::QueueMessage;
use state::QueueState;

pub(crate) use state::QueueArguments;

/// Claims, commits, wakes.
pub(crate) struct QueueActor;

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
            QueueMessage::Held(reply) => drop(reply.send(state.leases_to_renew())),
            QueueMessage::Roster(reply) => drop(reply.send(state.roster.rows())),
            QueueMessage::Drain(reply) => state.drain(reply),
            QueueMessage::Release(reply) => drop(reply.send(state.release().await)),
            QueueMessage::Status(reply) => drop(reply.send(state.status())),
        }
        Ok(())
    }
}
