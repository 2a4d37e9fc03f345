//! `queue stats`: exact numbers now, and rates of the last hour.

use crate::{
    cli::{
        session::Session,
        table::{fields, name, number, table},
        text_style::TextStyle,
    },
    queue::{Numbers, Queue, WorkerNumbers},
    time::duration,
};

pub(super) async fn run(session: &Session, queue: &Queue) -> anyhow::Result<()> {
    let numbers = queue.numbers().await?;
    session.output.answer(&numbers, |look| text_of(look, &numbers))
}

fn text_of(look: TextStyle, numbers: &Numbers) -> String {
    let Numbers { queue, coverage, .. } = numbers;
    let delayed =
        if queue.delayed > 0 { format!(" ({} waiting for their next attempt)", queue.delayed) } else { String::new() };
    let mut lines = vec![
        ("pending", format!("{}{delayed}", queue.pending)),
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
    for (name, span) in [("per second, 1 min", "1m"), ("per second, 5 min", "5m"), ("per second, 60 min", "60m")] {
        let rate = numbers.throughput_per_second.get(span).copied().unwrap_or_default();
        lines.push((name, format!("{rate:.2}")));
    }
    if let Some(rate) = numbers.success_rate {
        lines.push(("success rate", format!("{:.1} %", rate * 100.0)));
    }
    if numbers.workers.is_empty() {
        return fields(look, lines);
    }
    let heading = [
        name("host/worker"),
        number("completed"),
        number("failed"),
        number("retried"),
        number("p50"),
        number("p95"),
        number("p99"),
    ];
    format!("{}\n\nlast hour:\n{}", fields(look, lines), table(look, heading, numbers.workers.iter().map(worker_cells)))
}

fn worker_cells(worker: &WorkerNumbers) -> [String; 7] {
    let milliseconds = |micros: i64| format!("{:.1} ms", micros as f64 / 1000.0);
    [
        format!("{}/{}", &worker.incarnation[worker.incarnation.len().saturating_sub(6)..], worker.slot),
        worker.completed.to_string(),
        worker.failed.to_string(),
        worker.retried.to_string(),
        milliseconds(worker.p50_us),
        milliseconds(worker.p95_us),
        milliseconds(worker.p99_us),
    ]
}
