//! `queue show`: a task, its audit trail, and why it waits.

use super::events::events_table;
use crate::{
    cli::{session::Session, table::fields},
    queue::Queue,
};

pub(super) async fn run(session: &Session, queue: &Queue, id: i64) -> anyhow::Result<()> {
    let detail = queue.task(id).await?;
    session.output.answer(&detail, |look| {
        let task = &detail.task;
        let mut rows = vec![
            ("task", task.id.to_string()),
            ("article", format!("{} (revision {})", task.slug, task.revision)),
            ("operation", task.operation.clone()),
            ("status", task.status.clone()),
            ("priority", task.priority.clone()),
            ("attempts", format!("{} of {}", task.attempts, task.max_attempts)),
            ("created", look.time_and_age(task.created_at)),
            ("explanation", detail.explanation.clone()),
        ];
        if let Some(message) = &task.error_message {
            let kind = task.error_kind.as_deref().unwrap_or("unknown");
            rows.push(("last error", format!("{kind}: {message}")));
        }
        if let Some(trace) = &task.trace_id {
            rows.push(("trace", trace.clone()));
        }
        format!("{}\n\n{}", fields(look, rows), events_table(look, &detail.events))
    })
}
