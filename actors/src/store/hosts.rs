//! The rows that show hosts and their workers to other processes.

use std::time::Duration;

use afterword_entities::{embedding_host, embedding_worker_status};

use super::{
    StoreError,
    sql::{self, Sql},
};
use crate::task::Slot;

/// A host at its start.
#[derive(Debug, Clone)]
pub struct NewHost {
    /// Unique for each start.
    pub incarnation: String,
    /// The machine's name.
    pub hostname: String,
    /// The process id.
    pub pid: u32,
    /// The program's version.
    pub version: &'static str,
}

/// The state of one worker, as its host reports it.
#[derive(Debug, Clone)]
pub struct WorkerRow {
    /// From 0.
    pub slot: Slot,
    /// `idle`, `busy`, `restarting` or `stopped`.
    pub state: &'static str,
    /// The task that it is processing: `embedding_tasks.id`.
    pub task_id: Option<i64>,
    /// Tasks completed since the start.
    pub completed: u64,
    /// Attempts failed since the start.
    pub failed: u64,
    /// How often it was started again.
    pub restarts: u64,
    /// Why it was started again, or why the last attempt failed.
    pub last_error: Option<String>,
}

/// Inserts the host's row; does nothing if it exists.
///
/// # Errors
/// [`StoreError`]
pub async fn register(transaction: &impl Sql, host: &NewHost) -> Result<(), StoreError> {
    transaction
        .run(
            "INSERT INTO embedding_hosts (incarnation, hostname, pid, version, state, started_at, heartbeat_at)
             VALUES ($1, $2, $3, $4, 'running', {now}, {now}) ON CONFLICT (incarnation) DO NOTHING",
            [
                host.incarnation.clone().into(),
                host.hostname.clone().into(),
                i64::from(host.pid).into(),
                host.version.into(),
            ],
        )
        .await
        .map(drop)
}

/// Records that the host is alive, with its report (see [`HostReport`](crate::HostReport)) and its workers. A row that
/// was removed meanwhile is inserted again; a host that has stopped stays stopped, whatever is still under way.
///
/// # Errors
/// [`StoreError`]
pub async fn beat(
    transaction: &impl Sql,
    host: &NewHost,
    state: &str,
    report: &str,
    workers: &[WorkerRow],
) -> Result<(), StoreError> {
    let incarnation = host.incarnation.as_str();
    let note = "UPDATE embedding_hosts SET heartbeat_at = {now}, tree = $3,
                    state = CASE WHEN state = 'stopped' THEN state ELSE $2 END WHERE incarnation = $1";
    let noted = transaction.run(note, [incarnation.into(), state.into(), report.into()]).await?;
    if noted == 0 {
        register(transaction, host).await?;
        transaction.run(note, [incarnation.into(), state.into(), report.into()]).await?;
    }
    let rows: Vec<_> = workers.iter().map(worker_values).collect();
    let rows = sql::json(&rows)?;
    transaction.run(UPSERT_WORKERS, [incarnation.into(), rows]).await.map(drop)
}

const UPSERT_WORKERS: &str = "
    INSERT INTO embedding_worker_status AS w
        (incarnation, slot, state, since, task_id, completed, failed, restarts, last_error)
    SELECT $1, j.slot, j.state, {now}, j.task_id, j.completed, j.failed, j.restarts, j.last_error
    FROM {rows $2: slot INTEGER, state TEXT, task_id BIGINT, completed BIGINT, failed BIGINT, restarts BIGINT, \
              last_error TEXT} j
    WHERE TRUE
    ON CONFLICT (incarnation, slot) DO UPDATE SET
        since = CASE WHEN w.state = excluded.state AND w.task_id IS NOT DISTINCT FROM excluded.task_id THEN w.since
                     ELSE excluded.since END,
        state = excluded.state, task_id = excluded.task_id, completed = excluded.completed,
        failed = excluded.failed, restarts = excluded.restarts, last_error = excluded.last_error
    WHERE (w.state, w.completed, w.failed, w.restarts)
        <> (excluded.state, excluded.completed, excluded.failed, excluded.restarts)
       OR w.task_id IS DISTINCT FROM excluded.task_id OR w.last_error IS DISTINCT FROM excluded.last_error";

/// The values in the order of the columns that [`UPSERT_WORKERS`] names.
fn worker_values(worker: &WorkerRow) -> serde_json::Value {
    let WorkerRow { slot, state, task_id, completed, failed, restarts, last_error } = worker;
    serde_json::json!([slot, state, task_id, completed, failed, restarts, last_error])
}

/// Records that a host has ended, as reported by itself (`stopped`) or found by another (`lost`).
///
/// # Errors
/// [`StoreError`]
pub async fn end(transaction: &impl Sql, incarnation: &str, state: &str) -> Result<(), StoreError> {
    transaction
        .run("UPDATE embedding_hosts SET state = $2 WHERE incarnation = $1", [incarnation.into(), state.into()])
        .await?;
    transaction
        .run(
            "UPDATE embedding_worker_status SET state = 'stopped', task_id = NULL, since = {now}
             WHERE incarnation = $1",
            [incarnation.into()],
        )
        .await
        .map(drop)
}

/// Returns hosts other than `incarnation` that have not reported their end and have been silent for `silence`, or whose
/// last heartbeat is that far in the future: the clock was set back since, and how long they have been silent is not
/// known.
///
/// # Errors
/// [`StoreError`]
pub async fn others(connection: &impl Sql, incarnation: &str, silence: Duration) -> Result<Vec<String>, StoreError> {
    connection
        .rows(
            "SELECT incarnation FROM embedding_hosts
             WHERE state IN ('running', 'draining') AND incarnation <> $1
               AND (heartbeat_at <= {now} - $2 OR heartbeat_at > {now} + $2)",
            [incarnation.into(), sql::millis(silence).into()],
        )
        .await
}

/// Returns hosts that have not reported their end, the last started first.
///
/// # Errors
/// [`StoreError`]
pub async fn open(connection: &impl Sql, limit: u32) -> Result<Vec<embedding_host::Model>, StoreError> {
    let sql = "SELECT * FROM embedding_hosts WHERE state IN ('running', 'draining') ORDER BY started_at DESC LIMIT $1";
    connection.rows(sql, [i64::from(limit).into()]).await
}

/// Returns the workers of one host.
///
/// # Errors
/// [`StoreError`]
pub async fn workers(
    connection: &impl Sql,
    incarnation: &str,
) -> Result<Vec<embedding_worker_status::Model>, StoreError> {
    connection
        .rows("SELECT * FROM embedding_worker_status WHERE incarnation = $1 ORDER BY slot", [incarnation.into()])
        .await
}
