//! The hosts that work on one database, according to their rows and their locks.

use std::time::Duration;

use afterword_actors::{
    ActorState, ActorStatus, HostReport, RuntimeStatus, Trouble,
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
    living(database).await.unwrap_or_default().iter().any(is_running)
}

/// Whether any host, in any process, embeds for the set in use now, or for the one that is being built: one that
/// reaches the models of neither claims nothing.
pub async fn any_at_work(database: &Database) -> bool {
    let is_of_use = |host: &LivingHost| !host.trouble.iter().any(|trouble| matches!(trouble, Trouble::Unwanted { .. }));
    living(database).await.unwrap_or_default().iter().any(|host| is_running(host) && is_of_use(host))
}

/// Whether any running host would build the set `model_id`: one whose settings name its model. One that has not
/// reported yet which model that is counts as one that would.
///
/// # Errors
/// [`StoreError`]
pub async fn any_would_build(database: &Database, model_id: i64) -> Result<bool, StoreError> {
    let rows = database.living(LOOKED_AT).await?;
    let own = |row: &embedding_host::Model| report_of(row).and_then(|report| report.model_id);
    Ok(rows.iter().any(|row| row.state == "running" && own(row).is_none_or(|own| own == model_id)))
}

fn is_running(host: &LivingHost) -> bool {
    host.state == "running"
}

fn report_of(row: &embedding_host::Model) -> Option<HostReport> {
    row.tree.as_deref().and_then(|report| serde_json::from_str(report).ok())
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
        let tree = report_of(&row).map(|report| report.tree);
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
