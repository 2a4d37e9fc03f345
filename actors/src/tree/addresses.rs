//! The addresses of the actors of one runtime. Each actor is given those that it sends to, and no others.

use super::{
    maintenance::MaintenanceMessage,
    messages::{HeartbeatMessage, QueueMessage, RuntimeSupervisorMessage, WorkerSupervisorMessage},
    metrics::MetricsMessage,
};
use crate::supervision::Address;

/// The addresses of all actors.
#[derive(Clone, Default)]
pub(crate) struct Addresses {
    pub(crate) root: Address<RuntimeSupervisorMessage>,
    pub(crate) queue: Address<QueueMessage>,
    pub(crate) workers: Address<WorkerSupervisorMessage>,
    pub(crate) heartbeat: Address<HeartbeatMessage>,
    pub(crate) metrics: Address<MetricsMessage>,
    pub(crate) maintenance: Address<MaintenanceMessage>,
}
