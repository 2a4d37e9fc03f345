//! WorkerSupervisor: one WorkerActor for each slot, each restarted by itself (one for one).
//!
//! A worker that fails too often ends the supervisor with an error: its own supervisor then decides.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::time::Instant;

use super::{
    queue::QueueMessage,
    worker::{WorkerActor, WorkerArguments, WorkerMessage},
};
use crate::{
    context::Context,
    supervision::{ActorState, ActorStatus, Address, Decision, Restarts},
    task::Slot,
};

/// Keeps the slots filled.
pub(crate) struct WorkerSupervisor;

pub(crate) enum WorkerSupervisorMessage {
    /// To itself: start the worker of this slot again.
    Restart(Slot),
    /// How are you and yours?
    Status(RpcReplyPort<ActorStatus>),
    /// The cells of all workers: for tests that kill them.
    Workers(RpcReplyPort<Vec<ActorCell>>),
}

pub(crate) struct WorkerSupervisorState {
    context: Arc<Context>,
    slots: HashMap<Slot, Seat>,
    since: Instant,
}

/// One slot, with or without a worker.
struct Seat {
    address: Address<WorkerMessage>,
    tenant: Option<ActorId>,
    restarts: Restarts,
    last_error: Option<String>,
    since: Instant,
}

impl Actor for WorkerSupervisor {
    type Msg = WorkerSupervisorMessage;
    type State = WorkerSupervisorState;
    type Arguments = Arc<Context>;

    async fn pre_start(
        &self,
        _myself: ActorRef<WorkerSupervisorMessage>,
        context: Arc<Context>,
    ) -> Result<WorkerSupervisorState, ActorProcessingErr> {
        let settings = context.settings.restart;
        let seat = || Seat {
            address: Address::empty(),
            tenant: None,
            restarts: Restarts::new(settings),
            last_error: None,
            since: Instant::now(),
        };
        let slots = (0..context.settings.slots.max(1)).map(|slot| (slot, seat())).collect();
        Ok(WorkerSupervisorState { context, slots, since: Instant::now() })
    }

    async fn post_start(
        &self,
        myself: ActorRef<WorkerSupervisorMessage>,
        state: &mut WorkerSupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        for slot in 0..state.context.settings.slots.max(1) {
            state.start(&myself, slot).await?;
        }
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<WorkerSupervisorMessage>,
        message: WorkerSupervisorMessage,
        state: &mut WorkerSupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        state.context.addresses.workers.taken();
        match message {
            WorkerSupervisorMessage::Restart(slot) => state.start(&myself, slot).await?,
            WorkerSupervisorMessage::Status(reply) => state.report(reply),
            WorkerSupervisorMessage::Workers(reply) => {
                let _ = reply.send(state.cells());
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<WorkerSupervisorMessage>,
        event: SupervisionEvent,
        state: &mut WorkerSupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => state.lost(&myself, cell.get_id(), error.to_string()),
            SupervisionEvent::ActorTerminated(cell, _, reason) => {
                state.lost(&myself, cell.get_id(), reason.unwrap_or_else(|| "killed".to_owned()))
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => Ok(()),
        }
    }
}

impl WorkerSupervisorState {
    async fn start(
        &mut self,
        myself: &ActorRef<WorkerSupervisorMessage>,
        slot: Slot,
    ) -> Result<(), ActorProcessingErr> {
        let Some(seat) = self.slots.get_mut(&slot) else { return Ok(()) };
        let arguments = WorkerArguments { slot, context: Arc::clone(&self.context) };
        let (worker, _) = Actor::spawn_linked(None, WorkerActor, arguments, myself.get_cell()).await?;
        seat.tenant = Some(worker.get_id());
        seat.since = Instant::now();
        seat.address.enter(worker);
        Ok(())
    }

    fn lost(
        &mut self,
        myself: &ActorRef<WorkerSupervisorMessage>,
        id: ActorId,
        reason: String,
    ) -> Result<(), ActorProcessingErr> {
        let Some((&slot, seat)) = self.slots.iter_mut().find(|(_, seat)| seat.tenant == Some(id)) else {
            return Ok(());
        };
        tracing::warn!(slot, reason, "a worker ended; it is started again");
        seat.address.leave();
        seat.tenant = None;
        seat.since = Instant::now();
        seat.last_error = Some(reason.clone());
        self.context.addresses.queue.send(QueueMessage::Lost(slot, reason));
        match seat.restarts.decide(Instant::now()) {
            Decision::Restart(delay) => {
                myself.send_after(delay, move || WorkerSupervisorMessage::Restart(slot));
                Ok(())
            }
            Decision::Escalate(_) => Err(format!("worker {slot} keeps failing").into()),
        }
    }

    fn cells(&self) -> Vec<ActorCell> {
        self.slots.values().filter_map(|seat| Some(seat.address.tenant()?.get_cell())).collect()
    }

    /// Asks the workers beside the mailbox, so that one that is stuck does not hold the supervisor up.
    fn report(&self, reply: RpcReplyPort<ActorStatus>) {
        let mut own = ActorStatus::running("WorkerSupervisor", elapsed_ms(self.since));
        own.mailbox = self.context.addresses.workers.waiting();
        let mut seats: Vec<_> = self.slots.iter().map(|(&slot, seat)| (slot, seat.empty_status(slot), seat)).collect();
        seats.sort_by_key(|(slot, ..)| *slot);
        own.restarts = seats.iter().map(|(_, _, seat)| seat.restarts.total()).sum();
        let questions: Vec<_> = seats
            .into_iter()
            .map(|(_, empty, seat)| {
                let (address, restarts) = (seat.address.clone(), seat.restarts.total());
                let last_error = seat.last_error.clone();
                async move {
                    if address.tenant().is_none() {
                        return empty;
                    }
                    let answer = address.ask_for(WorkerMessage::Status, Duration::from_secs(1)).await;
                    let answer = answer.unwrap_or(ActorStatus { state: ActorState::Unresponsive, ..empty });
                    ActorStatus { restarts, last_error, ..answer }
                }
            })
            .collect();
        tokio::spawn(async move {
            own.children = futures_util::future::join_all(questions).await;
            let _ = reply.send(own);
        });
    }
}

impl Seat {
    fn empty_status(&self, slot: Slot) -> ActorStatus {
        ActorStatus {
            state: ActorState::Restarting,
            last_error: self.last_error.clone(),
            ..ActorStatus::running(format!("WorkerActor {slot}"), elapsed_ms(self.since))
        }
    }
}

fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
