//! The hosts that work on one database, according to their rows and their locks.

use std::time::Duration;

use afterword_actors::{
    ActorState, ActorStatus, RuntimeStatus,
    store::{Database, StoreError, hosts},
};
use afterword_entities::{embedding_host, embedding_worker_status};

use crate::api::Timestamp;
pub use crate::api::{Actor, LivingHost, Worker};

/// Most rows that are looked at, the last started first.
const LOOKED_AT: u32 = 1_000;

/// Returns the hosts that are alive, the last started first.
///
/// # Errors
/// [`StoreError`]
pub async fn living(database: &Database) -> Result<Vec<LivingHost>, StoreError> {
    let rows = database.living(LOOKED_AT).await?;
    Ok(rows.into_iter().map(LivingHost::from).collect())
}

/// Whether any host, in any process, claims tasks of this database now.
pub async fn any_running(database: &Database) -> bool {
    living(database).await.unwrap_or_default().iter().any(|host| host.state == "running")
}

/// Returns the workers of the hosts that are alive.
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

/// Returns hosts that have ended without reporting it.
pub(crate) async fn dead(database: &Database) -> Result<Vec<String>, StoreError> {
    let others = hosts::others(database.reader(), "", Duration::ZERO).await?;
    database.dead_among(&others).await
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
