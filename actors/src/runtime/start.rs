//! The start of a runtime: its lock, its rows, its tree.

use std::sync::Arc;

use tokio::sync::broadcast;
use uuid::Uuid;

use super::Runtime;
use crate::{
    context::Context,
    hostname::hostname,
    pipeline::{BodyPermits, Reads},
    sets::{Offer, RuntimeSets},
    settings::RuntimeSettings,
    store::{
        Database, HostLock, HostLockError, StoreError,
        hosts::{self, NewHost},
        models,
    },
    supervision::Root,
    tree::{
        Addresses,
        messages::QueueMessage,
        runtime_supervisor::{RuntimeSupervisor, RuntimeSupervisorArguments},
    },
};

/// Events that a slow listener may fall behind before it loses the oldest.
const EVENT_BACKLOG: usize = 4096;

/// Why a runtime did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The lock or the session that shows others that this host is alive could not be taken.
    #[error(transparent)]
    HostLock(#[from] HostLockError),
    /// The database, or its schema, cannot be used.
    #[error("the runtime cannot use the database: {0}")]
    Store(#[from] StoreError),
    /// The root of the tree did not start.
    #[error("the actor tree did not start: {0}")]
    Tree(String),
}

impl Runtime {
    /// Starts the tree of a server on `database`, with an up-to-date schema, embedding with the offered model. If this
    /// database has never used that model, its set is built from now on; see [`models::offer`].
    ///
    /// What an earlier start or a host that has died left in `processing` is recovered at once.
    ///
    /// # Errors
    /// [`StartError`] if the database cannot be used.
    pub async fn start(
        database: Database,
        offer: impl Into<Offer>,
        settings: RuntimeSettings,
    ) -> Result<Self, StartError> {
        Self::enter(database, offer.into(), settings, HostKind::Server).await
    }

    /// Starts the tree of a short-lived host, a command or an agent: as [`Runtime::start`], but it starts no build, and
    /// works only for the sets that are wanted anyway; see [`models::join`].
    ///
    /// # Errors
    /// [`StartError`] if the database cannot be used.
    pub async fn join(
        database: Database,
        offer: impl Into<Offer>,
        settings: RuntimeSettings,
    ) -> Result<Self, StartError> {
        Self::enter(database, offer.into(), settings, HostKind::Visitor).await
    }

    async fn enter(
        database: Database,
        offer: Offer,
        settings: RuntimeSettings,
        kind: HostKind,
    ) -> Result<Self, StartError> {
        let model = offer.model.clone();
        // Unique for each start: a reused name would hide what the earlier host of that name had claimed.
        let incarnation = Uuid::now_v7().to_string();
        let addresses = Addresses::default();
        let queue = addresses.queue.clone();
        let hear = move || {
            queue.send(QueueMessage::Wake);
        };
        let presence = HostLock::acquire(&database, &incarnation, hear).await?;
        let identity = model.embedder.identity().clone();
        let (host, model_settings) = (this_host(&incarnation), offer.settings.clone());
        let row = host.clone();
        let model_row = database
            .write::<_, StoreError, _>(async move |transaction| {
                hosts::register(transaction, &row).await?;
                match kind {
                    HostKind::Server => models::offer(transaction, &identity, model_settings.as_deref()).await,
                    HostKind::Visitor => models::join(transaction, &identity, model_settings.as_deref()).await,
                }
            })
            .await?;
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        let sets = RuntimeSets::new(model_row.id, offer, requests_of(settings.slots));
        let room = Arc::new(BodyPermits::default());
        let reads = Arc::new(Reads::new(&database));
        let context = Context { database, settings, incarnation, host, model, model_row, sets, room, reads, events };
        let context = Arc::new(context);
        let arguments = RuntimeSupervisorArguments { context: Arc::clone(&context), addresses: addresses.clone() };
        let root = Root::start(RuntimeSupervisor, &addresses.root, arguments).await.map_err(StartError::Tree)?;
        Ok(Self { context, addresses, root, presence: Some(presence) })
    }
}

/// Whether the model of a host may start a build: a server's may, a visitor's may not.
#[derive(Clone, Copy)]
enum HostKind {
    Server,
    Visitor,
}

/// With one slot, one request at a time; with more, an article may use all that the provider allows.
fn requests_of(slots: u32) -> usize {
    if slots <= 1 { 1 } else { usize::MAX }
}

fn this_host(incarnation: &str) -> NewHost {
    NewHost {
        incarnation: incarnation.to_owned(),
        hostname: hostname(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION"),
    }
}
