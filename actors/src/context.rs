//! What every actor of one runtime shares and nothing changes: the database, the settings, the model, the events.

use std::sync::Arc;

use afterword_entities::embedding_model;
use tokio::sync::broadcast;

use crate::{
    embedder::Model,
    event::TaskEvent,
    pipeline::{BodyPermits, Pipeline, Reads},
    sets::{RuntimeSets, SetModel},
    settings::RuntimeSettings,
    store::{Database, hosts::NewHost},
};

/// Shared by all actors of one runtime; never changes after the start.
pub(crate) struct Context {
    pub(crate) database: Database,
    pub(crate) settings: RuntimeSettings,
    /// Unique for each start of a host.
    pub(crate) incarnation: String,
    /// The host's row as it is first written.
    pub(crate) host: NewHost,
    pub(crate) model: Model,
    pub(crate) model_row: embedding_model::Model,
    pub(crate) sets: RuntimeSets,
    pub(crate) room: Arc<BodyPermits>,
    pub(crate) reads: Arc<Reads>,
    pub(crate) events: broadcast::Sender<TaskEvent>,
}

impl Context {
    /// Returns what makes the vectors of the set `model_id`; `None` if this host does not make it.
    pub(crate) fn pipeline(&self, model_id: i64) -> Option<Pipeline> {
        let SetModel { model, requests } = self.sets.set_model(model_id)?;
        let (database, reads, room) = (self.database.clone(), Arc::clone(&self.reads), Arc::clone(&self.room));
        let (chunker, again) = (model.chunker, self.settings.retry);
        Some(Pipeline { database, reads, chunker, requests, room, model_id, again })
    }

    /// Forgets the recently answered vectors of the set `model_id`, so that they are not used again.
    pub(crate) fn forget_answers(&self, model_id: i64) {
        if let Some(set_model) = self.sets.set_model(model_id) {
            set_model.requests.forget();
        }
    }

    /// Sends `event` to the subscribers; there may be none.
    pub(crate) fn publish(&self, event: TaskEvent) {
        let _ = self.events.send(event);
    }
}
