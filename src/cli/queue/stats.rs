//! `queue stats`: exact numbers now, and rates from the minutes that hosts have written.

use afterword_actors::store::{metrics, sql, stats};
use afterword_entities::embedding_metric;
use serde_json::json;

use crate::{
    cli::{
        session::Session,
        table::{duration, fields, table},
    },
    host::Host,
};

const MINUTE_MS: i64 = 60_000;

pub(super) async fn run(session: &Session, host: &Host) -> anyhow::Result<()> {
    let reader = host.database.reader();
    let queue = stats::queue(reader).await?;
    let now = sql::now(reader).await?;
    let rows = metrics::since(reader, now - 60 * MINUTE_MS).await?;
    let model_id = host.model_row().await?.map_or(0, |row| row.id);
    let coverage = stats::coverage(reader, model_id).await?;
    let rates: Vec<_> = [1, 5, 60].into_iter().map(|minutes| (minutes, rate(&rows, now, minutes))).collect();
    let value = json!({
        "queue": queue,
        "coverage": coverage,
        "throughput_per_second": rates.iter().map(|(m, rate)| (format!("{m}m"), rate)).collect::<std::collections::BTreeMap<_, _>>(),
        "success_rate": success_rate(&rows),
        "workers": workers(&rows),
    });
    session.output.answer(&value, || {
        let mut lines = vec![
            ("pending", format!("{}{}", queue.pending, note(queue.delayed, "waiting for their next try"))),
            ("processing", queue.processing.to_string()),
            ("completed", queue.completed.to_string()),
            ("failed", queue.failed.to_string()),
            ("cancelled", queue.cancelled.to_string()),
            ("oldest due", queue.oldest_due_ms.map_or_else(|| "none".to_owned(), duration)),
            ("claiming", if queue.paused { "paused".to_owned() } else { "allowed".to_owned() }),
            (
                "articles",
                format!(
                    "{}: {} embedded, {} stale, {} missing, {} skipped",
                    coverage.articles, coverage.embedded, coverage.stale, coverage.missing, coverage.skipped
                ),
            ),
        ];
        for (minutes, rate) in &rates {
            let name = match minutes {
                1 => "per second, 1 min",
                5 => "per second, 5 min",
                _ => "per second, 60 min",
            };
            lines.push((name, format!("{rate:.2}")));
        }
        if let Some(rate) = success_rate(&rows) {
            lines.push(("success rate", format!("{:.1} %", rate * 100.0)));
        }
        let workers = workers(&rows);
        if workers.is_empty() {
            return fields(lines);
        }
        let milliseconds = |micros: i64| format!("{:.1} ms", micros as f64 / 1000.0);
        let rows = workers.into_iter().map(|worker| {
            [
                format!("{}/{}", &worker.incarnation[worker.incarnation.len().saturating_sub(6)..], worker.slot),
                worker.completed.to_string(),
                worker.failed.to_string(),
                worker.retried.to_string(),
                milliseconds(worker.p50_us),
                milliseconds(worker.p95_us),
                milliseconds(worker.p99_us),
            ]
        });
        let heading = ["host/worker", "completed", "failed", "retried", "p50", "p95", "p99"];
        format!("{}\n\nlast hour:\n{}", fields(lines), table(heading, rows))
    })
}

fn note(count: i64, what: &str) -> String {
    if count > 0 { format!(" ({count} {what})") } else { String::new() }
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

/// One worker over the last hour. Quantiles of minutes cannot be added: the worst minute's is shown.
#[derive(serde::Serialize)]
struct WorkerRow {
    incarnation: String,
    slot: i32,
    completed: i64,
    failed: i64,
    retried: i64,
    p50_us: i64,
    p95_us: i64,
    p99_us: i64,
}

fn workers(rows: &[embedding_metric::Model]) -> Vec<WorkerRow> {
    let mut workers: Vec<WorkerRow> = Vec::new();
    for row in rows {
        let known = workers.iter().position(|worker| worker.incarnation == row.incarnation && worker.slot == row.slot);
        let index = known.unwrap_or_else(|| {
            workers.push(WorkerRow {
                incarnation: row.incarnation.clone(),
                slot: row.slot,
                completed: 0,
                failed: 0,
                retried: 0,
                p50_us: 0,
                p95_us: 0,
                p99_us: 0,
            });
            workers.len() - 1
        });
        let worker = &mut workers[index];
        worker.completed += row.completed;
        worker.failed += row.failed;
        worker.retried += row.retried;
        worker.p50_us = worker.p50_us.max(row.processing_p50_us);
        worker.p95_us = worker.p95_us.max(row.processing_p95_us);
        worker.p99_us = worker.p99_us.max(row.processing_p99_us);
    }
    workers
}
