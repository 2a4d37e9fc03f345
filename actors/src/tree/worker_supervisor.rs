//! WorkerSupervisor: one WorkerActor for each slot, each restarted by itself (one for one).
//!
//! The QueueActor learns from here, and only from here, which worker fills a slot: messages of one sender arrive in
//! order. A worker that is restarted too often ends the supervisor with an error: its own supervisor then decides.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::time::Instant;

use super::{
    messages::{QueueMessage, WorkerMessage, WorkerSupervisorMessage},
    worker::{WorkerActor, WorkerArguments},
};
use crate::{
    context::Context,
    supervision::{ActorState, ActorStatus, Address, Mailbox, RestartDecision, Restarts, Victim, spawn},
    task::Slot,
};

/// How long a worker's status is awaited.
const WORKER_TIMEOUT: Duration = Duration::from_secs(1);

/// Keeps the slots filled.
pub(crate) struct WorkerSupervisor;

pub(crate) struct WorkerSupervisorArguments {
    pub(crate) context: Arc<Context>,
    pub(crate) queue: Address<QueueMessage>,
}

pub(crate) struct WorkerSupervisorState {
    context: Arc<Context>,
    queue: Address<QueueMessage>,
    slots: BTreeMap<Slot, WorkerSlot>,
    since: Instant,
}

/// One slot, with or without a worker.
struct WorkerSlot {
    address: Address<WorkerMessage>,
    worker: Option<ActorRef<WorkerMessage>>,
    restarts: Restarts,
    last_error: Option<String>,
    since: Instant,
}

impl Actor for WorkerSupervisor {
    type Msg = WorkerSupervisorMessage;
    type State = WorkerSupervisorState;
    type Arguments = WorkerSupervisorArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<WorkerSupervisorMessage>,
        WorkerSupervisorArguments { context, queue }: WorkerSupervisorArguments,
    ) -> Result<WorkerSupervisorState, ActorProcessingErr> {
        let settings = context.settings.restart;
        let seat = || WorkerSlot {
            address: Address::default(),
            worker: None,
            restarts: Restarts::new(settings),
            last_error: None,
            since: Instant::now(),
        };
        let slots = (0..context.settings.slots.max(1)).map(|slot| (slot, seat())).collect();
        Ok(WorkerSupervisorState { context, queue, slots, since: Instant::now() })
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
        match message {
            WorkerSupervisorMessage::Restart(slot) => state.start(&myself, slot).await?,
            WorkerSupervisorMessage::Muster => state.muster(),
            WorkerSupervisorMessage::Status(reply) => state.report(reply),
            WorkerSupervisorMessage::Workers(reply) => drop(reply.send(state.victims())),
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
            SupervisionEvent::ActorFailed(cell, error) => state.lost(&myself, &cell, error.to_string()),
            SupervisionEvent::ActorTerminated(cell, _, reason) => {
                state.lost(&myself, &cell, reason.unwrap_or_else(|| "killed".to_owned()))
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
        let Some(seat) = self.slots.get_mut(&slot).filter(|seat| seat.worker.is_none()) else { return Ok(()) };
        let arguments = WorkerArguments { slot, context: Arc::clone(&self.context), queue: self.queue.clone() };
        let worker = spawn(WorkerActor, &seat.address, arguments, myself.get_cell()).await?;
        seat.worker = Some(worker.clone());
        seat.since = Instant::now();
        self.queue.send(QueueMessage::Seated(slot, worker));
        Ok(())
    }

    fn lost(
        &mut self,
        myself: &ActorRef<WorkerSupervisorMessage>,
        cell: &ActorCell,
        reason: String,
    ) -> Result<(), ActorProcessingErr> {
        let is_it = |seat: &WorkerSlot| seat.worker.as_ref().is_some_and(|worker| worker.get_id() == cell.get_id());
        let Some((&slot, seat)) = self.slots.iter_mut().find(|(_, seat)| is_it(seat)) else { return Ok(()) };
        tracing::warn!(slot, reason, "a worker ended; it is started again");
        seat.address.leave();
        seat.worker = None;
        seat.since = Instant::now();
        seat.last_error = Some(reason.clone());
        self.queue.send(QueueMessage::Vacated(slot, reason));
        match seat.restarts.decide(Instant::now()) {
            RestartDecision::Restart(delay) => {
                myself.send_after(delay, move || WorkerSupervisorMessage::Restart(slot));
                Ok(())
            }
            RestartDecision::Escalate(_) => Err(format!("worker {slot} keeps failing").into()),
        }
    }

    fn muster(&self) {
        for (&slot, seat) in &self.slots {
            if let Some(worker) = &seat.worker {
                self.queue.send(QueueMessage::Seated(slot, worker.clone()));
            }
        }
    }

    fn victims(&self) -> Vec<Victim> {
        self.slots.values().filter_map(|seat| Some(Victim::new(seat.worker.as_ref()?.get_cell()))).collect()
    }

    /// Asks the workers beside the mailbox, so that one that is stuck does not block the supervisor.
    fn report(&self, reply: RpcReplyPort<ActorStatus>) {
        let mut own = ActorStatus::running("WorkerSupervisor", self.since);
        own.restarts = self.slots.values().map(|seat| seat.restarts.total()).sum();
        let questions: Vec<_> = self.slots.iter().map(|(&slot, seat)| seat.status(slot)).collect();
        tokio::spawn(async move {
            own.children = futures_util::future::join_all(questions).await;
            let _ = reply.send(own);
        });
    }
}

impl WorkerSlot {
    fn status(&self, slot: Slot) -> impl Future<Output = ActorStatus> + Send + use<> {
        let mut empty = ActorStatus::running(format!("WorkerActor {slot}"), self.since);
        empty.state = ActorState::Restarting;
        (empty.restarts, empty.last_error) = (self.restarts.total(), self.last_error.clone());
        let address = self.worker.is_some().then(|| self.address.clone());
        async move {
            let Some(address) = address else { return empty };
            match address.ask_for(WorkerMessage::Status, WORKER_TIMEOUT).await {
                Some(own) => ActorStatus {
                    restarts: empty.restarts,
                    last_error: empty.last_error,
                    mailbox: address.waiting(),
                    ..own
                },
                None => ActorStatus { state: ActorState::Unresponsive, ..empty },
            }
        }
    }
}
