//! `queue show`: a task, its audit trail, and why it waits.

use afterword_actors::store::{Database, events, sql, stats, tasks};
use afterword_entities::embedding_task;
use anyhow::anyhow;
use serde_json::json;

use super::events_table;
use crate::{
    cli::{
        session::Session,
        table::{duration, fields},
    },
    time::Timestamp,
};

/// Entries of the audit trail that are shown.
const TRAIL: u32 = 200;

pub(super) async fn run(session: &Session, database: &Database, id: i64) -> anyhow::Result<()> {
    let task = tasks::find(database.reader(), id).await?;
    let task = task.ok_or_else(|| anyhow!("there is no task {id}; `afterword queue list` shows the last ones"))?;
    let why = explain(database, &task).await?;
    let filter = events::Filter { task_id: Some(id), limit: TRAIL, ..events::Filter::default() };
    let trail = events::list(database.reader(), &filter).await?;
    session.output.answer(&json!({ "task": task, "explanation": why, "events": trail }), || {
        let mut rows = vec![
            ("task", task.id.to_string()),
            ("article", format!("{} (revision {})", task.slug, task.revision)),
            ("operation", task.operation.clone()),
            ("status", task.status.clone()),
            ("priority", task.priority.clone()),
            ("attempts", format!("{} of {}", task.attempts, task.max_attempts)),
            ("created", Timestamp(task.created_at).to_string()),
            ("explanation", why.clone()),
        ];
        if let Some(message) = &task.error_message {
            let kind = task.error_kind.as_deref().unwrap_or("unknown");
            rows.push(("last error", format!("{kind}: {message}")));
        }
        if let Some(trace) = &task.trace_id {
            rows.push(("trace", trace.clone()));
        }
        format!("{}\n\n{}", fields(rows), events_table(&trail))
    })
}

/// Why the task stands where it stands, and what to do.
async fn explain(database: &Database, task: &embedding_task::Model) -> anyhow::Result<String> {
    Ok(match task.status.as_str() {
        "pending" => why_it_waits(database, task).await?,
        "processing" => {
            let left = task.lease_expires_at.unwrap_or(0) - sql::now(database.reader()).await?;
            let host = task.incarnation.as_deref().unwrap_or("unknown");
            if left > 0 {
                format!("worker {} of host {host} is at it", task.slot.unwrap_or_default())
            } else {
                format!("its host {host} is silent; a running host, or `afterword queue rescue`, puts it back")
            }
        }
        "failed" => format!("given up: {}; `afterword queue retry {}` tries again", task.cause, task.id),
        "cancelled" => format!("not needed any more: {}", task.cause),
        _ => "done".to_owned(),
    })
}

async fn why_it_waits(database: &Database, task: &embedding_task::Model) -> anyhow::Result<String> {
    let reader = database.reader();
    let stats = stats::queue(reader).await?;
    if stats.paused {
        return Ok("the queue is paused; `afterword queue resume` lets it go on".to_owned());
    }
    let wait = task.scheduled_at - sql::now(reader).await?;
    if wait > 0 {
        return Ok(format!("its next try is in {}", duration(wait)));
    }
    let filter = tasks::Filter { article_id: Some(task.article_id), limit: 10, ..tasks::Filter::default() };
    let others = tasks::list(reader, &filter).await?;
    if let Some(other) = others.iter().find(|other| other.status == "processing") {
        return Ok(format!("an older revision of the same article is in work (task {})", other.id));
    }
    let mut living = database.living(100).await?;
    living.retain(|host| host.state == "running");
    if living.is_empty() {
        return Ok("no host is running; `afterword bulk start` embeds what waits".to_owned());
    }
    if let Some(trouble) = living.iter().find_map(|host| trouble(host.tree.as_deref()?)) {
        return Ok(trouble);
    }
    Ok(format!("it is due; {} tasks wait in all, and {} are in work", stats.pending, stats.processing))
}

/// What the host's QueueActor last said was wrong.
fn trouble(tree: &str) -> Option<String> {
    let tree: afterword_actors::ActorStatus = serde_json::from_str(tree).ok()?;
    let queue = tree.walk().into_iter().find(|actor| actor.name == "QueueActor" && !actor.is_healthy())?;
    queue.last_error.clone()
}
