//! HeartbeatActor: keeps this host's leases and rows alive, and releases the tasks of dead hosts.
//!
//! A beat runs beside the mailbox: it asks the whole tree for its health, this actor included.

mod beat;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::messages::HeartbeatMessage;
use crate::{panics::catch_panic, store::StoreError, supervision::ActorStatus};

pub(crate) use beat::HeartbeatArguments;

/// Beats.
pub(crate) struct HeartbeatActor;

pub(crate) struct HeartbeatState {
    arguments: HeartbeatArguments,
    beat: Option<AbortOnDropHandle<()>>,
    last: Instant,
    last_error: Option<String>,
    since: Instant,
}

impl Actor for HeartbeatActor {
    type Msg = HeartbeatMessage;
    type State = HeartbeatState;
    type Arguments = HeartbeatArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<HeartbeatMessage>,
        arguments: HeartbeatArguments,
    ) -> Result<HeartbeatState, ActorProcessingErr> {
        let _ = myself.send_message(HeartbeatMessage::Beat);
        myself.send_interval(arguments.context.settings.heartbeat_interval, || HeartbeatMessage::Beat);
        let now = Instant::now();
        Ok(HeartbeatState { arguments, beat: None, last: now, last_error: None, since: now })
    }

    async fn handle(
        &self,
        myself: ActorRef<HeartbeatMessage>,
        message: HeartbeatMessage,
        state: &mut HeartbeatState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            HeartbeatMessage::Beat => state.begin(&myself),
            HeartbeatMessage::Beaten(result) => state.end(result),
            HeartbeatMessage::Status(reply) => drop(reply.send(state.status())),
        }
        Ok(())
    }
}

impl HeartbeatState {
    fn begin(&mut self, myself: &ActorRef<HeartbeatMessage>) {
        // A beat that still runs waits for the database; a second one would only wait as well.
        if self.beat.as_ref().is_some_and(|beat| !beat.is_finished()) {
            return;
        }
        let (arguments, myself) = (self.arguments.clone(), myself.clone());
        self.beat = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            let panicked = |text| StoreError::Failed(format!("the heartbeat panicked: {text}"));
            let result = catch_panic(beat::beat(&arguments)).await.map_err(panicked).flatten();
            let _ = myself.send_message(HeartbeatMessage::Beaten(result));
        })));
    }

    fn end(&mut self, result: Result<(), StoreError>) {
        match result {
            Ok(()) => {
                self.last = Instant::now();
                self.last_error = None;
            }
            Err(error) => self.last_error = Some(format!("leases not renewed: {error}")),
        }
    }

    fn status(&self) -> ActorStatus {
        let since = if self.last_error.is_some() { self.last } else { self.since };
        let mut status = ActorStatus::running("HeartbeatActor", since).degraded_by(self.last_error.as_ref());
        status.doing = Some(format!("last beat {:.1?} ago", self.last.elapsed()));
        status
    }
}
