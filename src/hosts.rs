//! The hosts that work on one database, as their rows and their locks tell.

use std::time::Duration;

use afterword_actors::{
    ActorState, ActorStatus, RuntimeStatus, Trouble,
    store::{Database, StoreError, hosts},
};
use afterword_entities::{embedding_host, embedding_worker_status};
use serde::Serialize;
use utoipa::ToSchema;

use crate::time::Timestamp;

/// Rows that are looked at; the last started come first.
const LOOKED_AT: u32 = 1_000;

/// A host that runs, as it last reported itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LivingHost {
    /// This start of it; unique.
    pub incarnation: String,
    /// The machine's name.
    pub hostname: String,
    /// The process.
    pub pid: i64,
    /// Of the program.
    pub version: String,
    /// `running` or `draining`.
    pub state: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last said that it lives.
    pub heartbeat_at: Timestamp,
    /// What keeps it from its work: `what` is `provider`, `database`, `loading`, `model` or `slots`.
    #[schema(value_type = Vec<Object>)]
    pub trouble: Vec<Trouble>,
    /// Its actors, the root first; `null` before the first report.
    pub tree: Option<Actor>,
}

/// One actor of a tree, with those below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Actor {
    /// Its role, e.g. `QueueActor` or `WorkerActor 0`.
    pub name: String,
    /// `running`, `degraded`, `restarting`, `failed`, `unresponsive` or `draining`.
    pub state: &'static str,
    /// For how many milliseconds it has been so.
    pub for_ms: u64,
    /// Times it was started again.
    pub restarts: u64,
    /// Messages sent to it that it has not taken up.
    pub mailbox: usize,
    /// What it does right now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doing: Option<String>,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The actors it supervises.
    #[schema(no_recursion)]
    pub children: Vec<Actor>,
}

/// A worker slot of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Worker {
    /// The host.
    pub incarnation: String,
    /// From 0.
    pub slot: i32,
    /// `idle`, `busy`, `restarting` or `stopped`.
    pub state: String,
    /// Since when it has been so.
    pub since: Timestamp,
    /// What it works on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<i64>,
    /// Tasks completed since the host started.
    pub completed: i64,
    /// Tries failed since the host started.
    pub failed: i64,
    /// Times it was started again.
    pub restarts: i64,
    /// Why it was, or why the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// The hosts that are alive, the last started first.
///
/// # Errors
/// [`StoreError`]
pub async fn living(database: &Database) -> Result<Vec<LivingHost>, StoreError> {
    let rows = database.living(LOOKED_AT).await?;
    Ok(rows.into_iter().map(LivingHost::from).collect())
}

/// Whether some host takes up tasks of this database now, in whatever process.
pub async fn somebody_works(database: &Database) -> bool {
    living(database).await.unwrap_or_default().iter().any(|host| host.state == "running")
}

/// The workers of the hosts that are alive.
///
/// # Errors
/// [`StoreError`]
pub async fn workers(database: &Database) -> Result<Vec<Worker>, StoreError> {
    let mut workers = Vec::new();
    for host in living(database).await? {
        let rows = hosts::workers(database.reader(), &host.incarnation).await?;
        workers.extend(rows.into_iter().map(Worker::from));
    }
    Ok(workers)
}

/// Hosts that have not said that they ended, and have.
pub(crate) async fn dead(database: &Database) -> Result<Vec<String>, StoreError> {
    let others = hosts::others(database.reader(), "", Duration::ZERO).await?;
    database.dead_among(&others).await
}

impl Actor {
    /// Whether this actor and all below it are well.
    pub fn is_healthy(&self) -> bool {
        matches!(self.state, "running" | "draining") && self.children.iter().all(Self::is_healthy)
    }

    /// This actor and all below it, each before its children.
    pub fn walk(&self) -> Vec<&Self> {
        let mut all = vec![self];
        all.extend(self.children.iter().flat_map(Self::walk));
        all
    }
}

impl From<embedding_host::Model> for LivingHost {
    fn from(row: embedding_host::Model) -> Self {
        let tree: Option<ActorStatus> = row.tree.as_deref().and_then(|tree| serde_json::from_str(tree).ok());
        let (trouble, tree) = tree.map(RuntimeStatus::from).map(|status| (status.trouble, status.tree)).unzip();
        Self {
            incarnation: row.incarnation,
            hostname: row.hostname,
            pid: row.pid,
            version: row.version,
            state: row.state,
            started_at: Timestamp(row.started_at),
            heartbeat_at: Timestamp(row.heartbeat_at),
            trouble: trouble.unwrap_or_default(),
            tree: tree.map(Actor::from),
        }
    }
}

impl From<ActorStatus> for Actor {
    fn from(status: ActorStatus) -> Self {
        Self {
            name: status.name,
            state: match status.state {
                ActorState::Running => "running",
                ActorState::Degraded => "degraded",
                ActorState::Restarting => "restarting",
                ActorState::Failed => "failed",
                ActorState::Unresponsive => "unresponsive",
                ActorState::Draining => "draining",
            },
            for_ms: status.for_ms,
            restarts: status.restarts,
            mailbox: status.mailbox,
            doing: status.doing,
            last_error: status.last_error,
            children: status.children.into_iter().map(Self::from).collect(),
        }
    }
}

impl From<embedding_worker_status::Model> for Worker {
    fn from(row: embedding_worker_status::Model) -> Self {
        Self {
            incarnation: row.incarnation,
            slot: row.slot,
            state: row.state,
            since: Timestamp(row.since),
            task_id: row.task_id,
            completed: row.completed,
            failed: row.failed,
            restarts: row.restarts,
            last_error: row.last_error,
        }
    }
}
