//! The root's children by role: what each is given, and how each is asked.

use std::{sync::Arc, time::Duration};

use ractor::{ActorCell, SpawnErr};

use crate::{
    context::Context,
    supervision::{ActorStatus, Mailbox, spawn},
    tree::{
        Addresses,
        heartbeat::{HeartbeatActor, HeartbeatArguments},
        maintenance::{MaintenanceActor, MaintenanceArguments, MaintenanceMessage},
        messages::{HeartbeatMessage, QueueMessage, WorkerSupervisorMessage},
        metrics::{MetricsActor, MetricsMessage},
        queue::{QueueActor, QueueArguments},
        role::Role,
        worker_supervisor::{WorkerSupervisor, WorkerSupervisorArguments},
    },
};

impl Role {
    pub(super) async fn spawn(
        self,
        context: &Arc<Context>,
        at: &Addresses,
        root: ActorCell,
    ) -> Result<ActorCell, SpawnErr> {
        let context = Arc::clone(context);
        Ok(match self {
            Self::Metrics => spawn(MetricsActor, &at.metrics, context, root).await?.get_cell(),
            Self::Queue => {
                let (workers, heartbeat) = (at.workers.clone(), at.heartbeat.clone());
                let arguments = QueueArguments { context, workers, heartbeat, metrics: at.metrics.clone() };
                spawn(QueueActor, &at.queue, arguments, root).await?.get_cell()
            }
            Self::Workers => {
                let arguments = WorkerSupervisorArguments { context, queue: at.queue.clone() };
                spawn(WorkerSupervisor, &at.workers, arguments, root).await?.get_cell()
            }
            Self::Heartbeat => {
                let arguments = HeartbeatArguments { context, root: at.root.clone(), queue: at.queue.clone() };
                spawn(HeartbeatActor, &at.heartbeat, arguments, root).await?.get_cell()
            }
            Self::Maintenance => {
                let arguments = MaintenanceArguments { context, queue: at.queue.clone() };
                spawn(MaintenanceActor, &at.maintenance, arguments, root).await?.get_cell()
            }
        })
    }

    pub(super) fn mailbox(self, addresses: &Addresses) -> &dyn Mailbox {
        match self {
            Self::Metrics => &addresses.metrics,
            Self::Queue => &addresses.queue,
            Self::Workers => &addresses.workers,
            Self::Heartbeat => &addresses.heartbeat,
            Self::Maintenance => &addresses.maintenance,
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
