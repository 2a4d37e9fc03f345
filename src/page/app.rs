//! What the views share.

use std::{ops::Deref, sync::Arc};

use afterword_actors::RuntimeHandle;
use tokio_util::sync::CancellationToken;

use super::{changes::TaskChanges, model::StatusCache, view::Followed};
use crate::{config::ShownSetting, health::Health, host::Host};

/// The parts that the views are made from.
pub struct PageParts {
    /// The services.
    pub host: Host,
    /// The runtime of this process.
    pub runtime: RuntimeHandle,
    /// The health of this server.
    pub health: Health,
    /// The settings in force, as they may be shown.
    pub settings: Vec<ShownSetting>,
    /// Cancelled when the server stops: streams end then.
    pub stopping: CancellationToken,
}

/// What the views share. Cheap to clone.
#[derive(Clone)]
pub(super) struct PageState(Arc<Shared>);

/// See [`PageState`].
pub(super) struct Shared {
    pub(super) host: Host,
    pub(super) runtime: RuntimeHandle,
    pub(super) health: Health,
    pub(super) settings: Vec<ShownSetting>,
    pub(super) stopping: CancellationToken,
    pub(super) changes: TaskChanges,
    pub(super) followed: Followed,
    pub(super) model: StatusCache,
}

impl PageState {
    pub(super) fn new(parts: PageParts) -> Self {
        let PageParts { host, runtime, health, settings, stopping } = parts;
        let changes = TaskChanges::start(host.queue.clone(), runtime.clone(), stopping.clone());
        let followed = Followed::default();
        Self(Arc::new(Shared {
            host,
            runtime,
            health,
            settings,
            stopping,
            changes,
            followed,
            model: StatusCache::default(),
        }))
    }
}

impl Deref for PageState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
