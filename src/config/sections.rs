//! The settings, a file for each section. Each says what its settings mean, their defaults and what they must hold to;
//! `config.toml` is made from it.

#![allow(rustdoc::bare_urls, reason = "config.toml shows these lines as they are")]

mod articles;
mod auth;
mod database;
mod embedding;
mod health;
mod log;
mod queue;
mod retention;
mod search;
mod server;
mod sync;
mod telemetry;

use serde::{Deserialize, Serialize};

pub use self::{
    articles::Articles,
    auth::Auth,
    database::Database,
    embedding::{Embedding, Encoding, Local, OpenAi, Provider, Scripted},
    health::Health,
    log::{Log, LogFormat},
    queue::Queue,
    retention::Retention,
    search::{Rerank, Search},
    server::Server,
    sync::SyncedFolder,
    telemetry::Telemetry,
};

/// All settings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The database.
    pub database: Database,
    /// The queue and its workers.
    pub queue: Queue,
    /// How long rows are kept.
    pub retention: Retention,
    /// The provider of embeddings and its model.
    pub embedding: Embedding,
    /// Searches.
    pub search: Search,
    /// Limits of an article.
    pub articles: Articles,
    /// Folders of files that a server keeps in step.
    pub sync: Vec<SyncedFolder>,
    /// The host server.
    pub server: Server,
    /// Tokens of an identity provider.
    pub auth: Auth,
    /// When the server calls itself degraded.
    pub health: Health,
    /// Traces.
    pub telemetry: Telemetry,
    /// The log.
    pub log: Log,
}
