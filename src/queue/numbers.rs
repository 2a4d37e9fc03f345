//! Exact numbers now, and rates from the minutes that hosts have written.

use std::collections::BTreeMap;

use afterword_actors::store::{
    StoreError, metrics,
    sql::{self, Sql},
    stats,
};
use afterword_entities::embedding_metric;

use crate::api::{Coverage, Numbers, QueueNumbers, WorkerNumbers};

const MINUTE_MS: i64 = 60_000;
/// Spans that rates are returned for. *Units:* minutes.
const SPANS: [i64; 3] = [1, 5, 60];

pub(super) async fn of(reader: &impl Sql, coverage: Coverage) -> Result<Numbers, StoreError> {
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
