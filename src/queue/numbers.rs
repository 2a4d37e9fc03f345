//! Exact numbers now, and rates from the minutes that hosts have written.

use std::collections::BTreeMap;

use afterword_actors::store::{StoreError, metrics, sql, stats};
use afterword_entities::embedding_metric;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use utoipa::ToSchema;

const MINUTE_MS: i64 = 60_000;
/// Spans that rates are told for. *Units:* minutes.
const SPANS: [i64; 3] = [1, 5, 60];

/// How the queue stands and how it does.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Numbers {
    /// Tasks by status.
    pub queue: QueueNumbers,
    /// Articles by the state of their vectors.
    pub coverage: Coverage,
    /// Tasks completed per second over the last minute (`1m`), five (`5m`) and sixty (`60m`).
    pub throughput_per_second: BTreeMap<String, f64>,
    /// Completed of completed and failed in the last hour; `null` if there were none.
    pub success_rate: Option<f64>,
    /// Each worker in the last hour.
    pub workers: Vec<WorkerNumbers>,
}

/// Tasks by status; all numbers from one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueueNumbers {
    /// Waiting, delayed ones included.
    pub pending: i64,
    /// In work.
    pub processing: i64,
    /// Done and not yet removed by retention.
    pub completed: i64,
    /// Given up and not yet removed by retention.
    pub failed: i64,
    /// Cancelled and not yet removed by retention.
    pub cancelled: i64,
    /// Waiting for the time of their next try; part of `pending`.
    pub delayed: i64,
    /// Since the longest-waiting due task became due, in milliseconds; `null` if none is due.
    pub oldest_due_ms: Option<i64>,
    /// Whether claiming is paused.
    pub paused: bool,
}

/// Articles by the state of their vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Coverage {
    /// All articles.
    pub articles: i64,
    /// Never to be embedded.
    pub skipped: i64,
    /// Embedded at their present content.
    pub embedded: i64,
    /// Embedded at an older content.
    pub stale: i64,
    /// Not embedded at all.
    pub missing: i64,
}

/// One worker over the last hour. Quantiles of minutes cannot be added: the worst minute's is told.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WorkerNumbers {
    /// The host.
    pub incarnation: String,
    /// The worker.
    pub slot: i32,
    /// Tasks completed.
    pub completed: i64,
    /// Tasks given up.
    pub failed: i64,
    /// Tries that ended in a later try.
    pub retried: i64,
    /// Half of the tries took at most so many microseconds.
    pub p50_us: i64,
    /// 95 % of the tries took at most so many microseconds.
    pub p95_us: i64,
    /// 99 % of the tries took at most so many microseconds.
    pub p99_us: i64,
}

pub(super) async fn of(reader: &impl ConnectionTrait, coverage: Coverage) -> Result<Numbers, StoreError> {
    let queue = stats::queue(reader).await?.into();
    let now = sql::now(reader).await?;
    let rows = metrics::since(reader, now - 60 * MINUTE_MS).await?;
    Ok(Numbers {
        queue,
        coverage,
        throughput_per_second: SPANS.iter().map(|&span| (format!("{span}m"), rate(&rows, now, span))).collect(),
        success_rate: success_rate(&rows),
        workers: workers(&rows),
    })
}

fn rate(rows: &[embedding_metric::Model], now: i64, minutes: i64) -> f64 {
    let from = now - minutes * MINUTE_MS;
    let completed: i64 = rows.iter().filter(|row| row.minute >= from).map(|row| row.completed).sum();
    completed as f64 / (minutes * 60) as f64
}

fn success_rate(rows: &[embedding_metric::Model]) -> Option<f64> {
    let completed: i64 = rows.iter().map(|row| row.completed).sum();
    let ended = completed + rows.iter().map(|row| row.failed).sum::<i64>();
    (ended > 0).then(|| completed as f64 / ended as f64)
}

fn workers(rows: &[embedding_metric::Model]) -> Vec<WorkerNumbers> {
    let mut workers: BTreeMap<(&str, i32), WorkerNumbers> = BTreeMap::new();
    for row in rows {
        let worker = workers.entry((row.incarnation.as_str(), row.slot)).or_insert_with(|| WorkerNumbers {
            incarnation: row.incarnation.clone(),
            slot: row.slot,
            completed: 0,
            failed: 0,
            retried: 0,
            p50_us: 0,
            p95_us: 0,
            p99_us: 0,
        });
        worker.completed += row.completed;
        worker.failed += row.failed;
        worker.retried += row.retried;
        worker.p50_us = worker.p50_us.max(row.processing_p50_us);
        worker.p95_us = worker.p95_us.max(row.processing_p95_us);
        worker.p99_us = worker.p99_us.max(row.processing_p99_us);
    }
    workers.into_values().collect()
}

impl From<stats::QueueStats> for QueueNumbers {
    fn from(stats: stats::QueueStats) -> Self {
        let stats::QueueStats { pending, processing, completed, failed, cancelled, delayed, oldest_due_ms, paused } =
            stats;
        Self { pending, processing, completed, failed, cancelled, delayed, oldest_due_ms, paused }
    }
}

impl From<stats::Coverage> for Coverage {
    fn from(coverage: stats::Coverage) -> Self {
        let stats::Coverage { articles, skipped, embedded, stale, missing } = coverage;
        Self { articles, skipped, embedded, stale, missing }
    }
}
