//! The runtime as a host sees it: start it on a database with a model, wake it after a save, stop it at the end.

mod start;
mod stop;

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::broadcast;

use crate::{
    context::Context,
    event::TaskEvent,
    store::{
        Database, HostLock, StoreError,
        backlog::{self, Backlog},
        bulk, control, models, stats, tasks,
    },
    supervision::{Root, RuntimeStatus, Victim},
    task::NewTask,
    tree::{
        Addresses,
        maintenance::MaintenanceMessage,
        messages::{QueueMessage, RuntimeSupervisorMessage, WorkerSupervisorMessage},
        metrics::{MetricsMessage, MetricsSnapshot},
        role::Role,
    },
};

pub use start::StartError;
pub use stop::DrainReport;

/// A running tree of actors. Dropping it stops them at once; [`Runtime::stop`] lets them finish first.
pub struct Runtime {
    context: Arc<Context>,
    addresses: Addresses,
    root: Root<RuntimeSupervisorMessage>,
    presence: Option<HostLock>,
}

/// What a host's doors need of a runtime; cheap to clone, and may outlive it.
#[derive(Clone)]
pub struct RuntimeHandle {
    context: Arc<Context>,
    addresses: Addresses,
}

impl Runtime {
    /// Returns a handle for the code that saves articles or shows the queue.
    pub fn handle(&self) -> RuntimeHandle {
        RuntimeHandle { context: Arc::clone(&self.context), addresses: self.addresses.clone() }
    }

    /// Queues a task and wakes the queue. A save should rather call [`tasks::enqueue`] in its own transaction, and
    /// [`RuntimeHandle::wake`] after the commit.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn enqueue(&self, task: NewTask) -> Result<i64, StoreError> {
        self.handle().enqueue(task).await
    }

    /// Announces that there may be work. A hint: without it the work is found at the next poll.
    pub fn wake(&self) {
        self.handle().wake();
    }

    /// Returns what keeps the runtime from its work, and the whole tree: state, since when, restarts, mailbox, current
    /// task, last error. `None` if the root does not answer.
    pub async fn status(&self) -> Option<RuntimeStatus> {
        self.handle().status().await
    }

    /// Stops every host on this database from claiming.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pause(&self) -> Result<bool, StoreError> {
        self.handle().pause().await
    }

    /// Lets every host on this database claim again.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn resume(&self) -> Result<bool, StoreError> {
        self.handle().resume().await
    }

    /// Subscribes to every change of a task's status on this host, as it happens.
    pub fn subscribe(&self) -> broadcast::Receiver<TaskEvent> {
        self.context.events.subscribe()
    }

    /// The actors that run now, by name, for tests that kill them.
    #[doc(hidden)]
    pub async fn victims(&self) -> BTreeMap<String, Victim> {
        let mut victims = BTreeMap::new();
        for role in Role::TABLE.map(|spec| spec.role) {
            let victim = self.addresses.root.ask(|reply| RuntimeSupervisorMessage::Child(role, reply)).await;
            victims.extend(victim.flatten().map(|victim| (role.name().to_owned(), victim)));
        }
        let workers = self.addresses.workers.ask(WorkerSupervisorMessage::Workers).await.unwrap_or_default();
        victims.extend(workers.into_iter().enumerate().map(|(slot, victim)| (format!("WorkerActor {slot}"), victim)));
        victims
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.root.kill();
    }
}

impl RuntimeHandle {
    /// See [`Runtime::enqueue`].
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn enqueue(&self, task: NewTask) -> Result<i64, StoreError> {
        let id = self.context.database.write(async move |transaction| tasks::enqueue(transaction, &task).await).await?;
        self.wake();
        Ok(id)
    }

    /// See [`Runtime::wake`]. On PostgreSQL, other hosts are notified too.
    pub fn wake(&self) {
        self.addresses.queue.send(QueueMessage::Wake);
        self.context.database.announce();
    }

    /// See [`Runtime::status`].
    pub async fn status(&self) -> Option<RuntimeStatus> {
        self.addresses.root.ask(RuntimeSupervisorMessage::Status).await
    }

    /// See [`Runtime::pause`].
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pause(&self) -> Result<bool, StoreError> {
        self.context.database.write(async |transaction| control::pause(transaction).await).await
    }

    /// See [`Runtime::resume`].
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn resume(&self) -> Result<bool, StoreError> {
        let changed = self.context.database.write(async |transaction| control::resume(transaction).await).await;
        self.wake();
        changed
    }

    /// Opens a bulk run over `scope` in `folder` (empty for all) and starts it; returns its id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn start_bulk(&self, scope: Backlog, folder: String) -> Result<i64, StoreError> {
        let reader = self.context.database.reader();
        // Before the first set nothing has been embedded: number 0 stands for that.
        let in_use = models::wanted(reader).await?.active.map_or(0, |set| set.id);
        let (articles, _) = backlog::count(reader, in_use, scope, &folder).await?;
        let id = self
            .context
            .database
            .write(async move |transaction| bulk::open(transaction, scope, &folder, articles).await)
            .await?;
        self.addresses.maintenance.send(MaintenanceMessage::Advance);
        Ok(id)
    }

    /// Counts the queue exactly.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn queue_stats(&self) -> Result<stats::QueueStats, StoreError> {
        stats::queue(self.context.database.reader()).await
    }

    /// What the workers of this host have done; `None` if the MetricsActor does not answer, as during a restart.
    pub async fn metrics(&self) -> Option<MetricsSnapshot> {
        self.addresses.metrics.ask(MetricsMessage::Snapshot).await
    }

    /// Subscribes to every change of a task's status on this host, as it happens.
    pub fn subscribe(&self) -> broadcast::Receiver<TaskEvent> {
        self.context.events.subscribe()
    }

    /// The database that the runtime works on.
    pub fn database(&self) -> &Database {
        &self.context.database
    }

    /// The id of this start of the host.
    pub fn incarnation(&self) -> &str {
        &self.context.incarnation
    }

    /// Why this host processes nothing, for people, if its model makes none of the wanted sets.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn idle_because(&self) -> Result<Option<String>, StoreError> {
        let wanted = models::wanted(self.context.database.reader()).await?;
        Ok(self.context.sets.unwanted_because(&wanted))
    }

    /// Counts waiting tasks for a set that is being built, but not by this host.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn left_to_others(&self) -> Result<i64, StoreError> {
        let reader = self.context.database.reader();
        let makes = self.context.sets.makes(&models::wanted(reader).await?);
        if makes.makes_building || makes.building == 0 {
            return Ok(0);
        }
        backlog::waiting(reader, makes.building).await
    }

    /// `embedding_models.id` of the host's own model.
    pub fn model_id(&self) -> i64 {
        self.context.model_row.id
    }
}
