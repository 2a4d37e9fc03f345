//! The root's children by role: how each is spawned, found and asked.

use std::{sync::Arc, time::Duration};

use ractor::{Actor, ActorCell, ActorRef, Message, SpawnErr};
use tokio::time::Instant;

use super::{Child, RuntimeSupervisorMessage, elapsed_ms};
use crate::{
    context::{Addresses, Context},
    settings::RestartSettings,
    supervision::{ActorState, ActorStatus, Address, Restarts},
    tree::{
        heartbeat::{HeartbeatActor, HeartbeatMessage},
        maintenance::{MaintenanceActor, MaintenanceMessage},
        metrics::{MetricsActor, MetricsMessage},
        queue::{QueueActor, QueueMessage},
        worker_supervisor::{WorkerSupervisor, WorkerSupervisorMessage},
    },
};

/// A child of the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Metrics,
    Queue,
    Workers,
    Heartbeat,
    Maintenance,
}

impl Role {
    /// Each after those it sends to.
    pub(super) const IN_ORDER: [Self; 5] =
        [Self::Metrics, Self::Queue, Self::Workers, Self::Heartbeat, Self::Maintenance];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Metrics => "MetricsActor",
            Self::Queue => "QueueActor",
            Self::Workers => "WorkerSupervisor",
            Self::Heartbeat => "HeartbeatActor",
            Self::Maintenance => "MaintenanceActor",
        }
    }

    pub(super) async fn spawn(self, context: Arc<Context>, root: ActorCell) -> Result<ActorCell, SpawnErr> {
        let at = &context.addresses;
        match self {
            Self::Metrics => spawn(MetricsActor, &at.metrics, Arc::clone(&context), root).await,
            Self::Queue => spawn(QueueActor, &at.queue, Arc::clone(&context), root).await,
            Self::Workers => spawn(WorkerSupervisor, &at.workers, Arc::clone(&context), root).await,
            Self::Heartbeat => spawn(HeartbeatActor, &at.heartbeat, Arc::clone(&context), root).await,
            Self::Maintenance => spawn(MaintenanceActor, &at.maintenance, Arc::clone(&context), root).await,
        }
    }

    pub(super) fn leave(self, addresses: &Addresses) {
        match self {
            Self::Metrics => addresses.metrics.leave(),
            Self::Queue => addresses.queue.leave(),
            Self::Workers => addresses.workers.leave(),
            Self::Heartbeat => addresses.heartbeat.leave(),
            Self::Maintenance => addresses.maintenance.leave(),
        }
    }

    pub(super) async fn ask_status(self, addresses: &Addresses, timeout: Duration) -> Option<ActorStatus> {
        match self {
            Self::Metrics => addresses.metrics.ask_for(MetricsMessage::Status, timeout).await,
            Self::Queue => addresses.queue.ask_for(QueueMessage::Status, timeout).await,
            Self::Workers => addresses.workers.ask_for(WorkerSupervisorMessage::Status, timeout).await,
            Self::Heartbeat => addresses.heartbeat.ask_for(HeartbeatMessage::Status, timeout).await,
            Self::Maintenance => addresses.maintenance.ask_for(MaintenanceMessage::Status, timeout).await,
        }
    }
}

async fn spawn<A, M>(
    actor: A,
    address: &Address<M>,
    context: Arc<Context>,
    root: ActorCell,
) -> Result<ActorCell, SpawnErr>
where
    A: Actor<Msg = M, Arguments = Arc<Context>>,
    M: Message,
{
    let (actor, _) = Actor::spawn_linked(None, actor, context, root).await?;
    let cell = actor.get_cell();
    address.enter(actor);
    Ok(cell)
}

impl Child {
    pub(super) fn new(settings: RestartSettings) -> Self {
        Self {
            cell: None,
            state: ActorState::Restarting,
            restarts: Restarts::new(settings),
            last_error: None,
            since: Instant::now(),
            retired: false,
            restart_at: Instant::now(),
        }
    }

    /// Has the root start it after `delay`.
    pub(super) fn next_start(&mut self, root: &ActorRef<RuntimeSupervisorMessage>, role: Role, delay: Duration) {
        self.restart_at = Instant::now() + delay;
        root.send_after(delay, move || RuntimeSupervisorMessage::Restart(role));
    }

    pub(super) fn restart_delay(&self) -> Duration {
        self.restart_at.saturating_duration_since(Instant::now())
    }

    pub(super) fn as_seen_from_above(&self, role: Role) -> ActorStatus {
        ActorStatus {
            state: self.state,
            restarts: self.restarts.total(),
            last_error: self.last_error.clone(),
            ..ActorStatus::running(role.name(), elapsed_ms(self.since))
        }
    }
}
