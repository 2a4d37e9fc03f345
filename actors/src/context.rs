//! What every actor of one runtime shares: the database, the settings, the model, and where the others are found.

use afterword_entities::embedding_model;
use tokio::sync::broadcast;

use crate::{
    embedder::Model,
    event::TaskEvent,
    pipeline::Pipeline,
    settings::RuntimeSettings,
    store::Database,
    supervision::Address,
    tree::{
        heartbeat::HeartbeatMessage, maintenance::MaintenanceMessage, metrics::MetricsMessage, queue::QueueMessage,
        runtime_supervisor::RuntimeSupervisorMessage, worker_supervisor::WorkerSupervisorMessage,
    },
};

/// Shared by all actors of one runtime; never changes after the start.
pub(crate) struct Context {
    pub(crate) database: Database,
    pub(crate) settings: RuntimeSettings,
    /// Unique for each start of a host.
    pub(crate) incarnation: String,
    pub(crate) model: Model,
    pub(crate) model_row: embedding_model::Model,
    pub(crate) events: broadcast::Sender<TaskEvent>,
    pub(crate) addresses: Addresses,
}

/// Where the actors are found.
pub(crate) struct Addresses {
    pub(crate) root: Address<RuntimeSupervisorMessage>,
    pub(crate) queue: Address<QueueMessage>,
    pub(crate) workers: Address<WorkerSupervisorMessage>,
    pub(crate) heartbeat: Address<HeartbeatMessage>,
    pub(crate) metrics: Address<MetricsMessage>,
    pub(crate) maintenance: Address<MaintenanceMessage>,
}

impl Addresses {
    pub(crate) fn empty() -> Self {
        Self {
            root: Address::empty(),
            queue: Address::empty(),
            workers: Address::empty(),
            heartbeat: Address::empty(),
            metrics: Address::empty(),
            maintenance: Address::empty(),
        }
    }
}

impl Context {
    pub(crate) fn pipeline(&self) -> Pipeline {
        Pipeline { database: self.database.clone(), model: self.model.clone(), model_id: self.model_row.id }
    }

    /// Tells whoever listens; nobody has to.
    pub(crate) fn publish(&self, event: TaskEvent) {
        let _ = self.events.send(event);
    }
}
