//! Why a task is in its state, and what to do about it.

use afterword_actors::store::{Database, StoreError, sql, stats, tasks};
use afterword_entities::embedding_task;

use crate::{health, plural::count, time::duration};

pub(super) async fn explain(database: &Database, task: &embedding_task::Model) -> Result<String, StoreError> {
    Ok(match task.status.as_str() {
        "pending" => why_it_waits(database, task).await?,
        "processing" => {
            let left = task.lease_expires_at.unwrap_or(0) - sql::now(database.reader()).await?;
            let host = task.incarnation.as_deref().unwrap_or("unknown");
            if left > 0 {
                format!("worker {} of host {host} is processing it", task.slot.unwrap_or_default())
            } else {
                format!("its host {host} is silent; a running host, or `afterword queue rescue`, puts it back")
            }
        }
        "failed" => format!("failed: {}; `afterword queue retry {}` tries again", task.cause, task.id),
        "cancelled" if task.cause == "cancelled" => {
            format!("cancelled by hand; `afterword queue retry {}` puts it back", task.id)
        }
        "cancelled" => format!("not needed any more: {}", task.cause),
        _ => "done".to_owned(),
    })
}

async fn why_it_waits(database: &Database, task: &embedding_task::Model) -> Result<String, StoreError> {
    let reader = database.reader();
    let stats = stats::queue(reader).await?;
    if stats.paused {
        return Ok(health::PAUSED.to_owned());
    }
    let wait = task.scheduled_at - sql::now(reader).await?;
    if wait > 0 {
        return Ok(format!("its next attempt is in {}", duration(wait)));
    }
    let filter = tasks::Filter { article_id: Some(task.article_id), limit: 10, ..tasks::Filter::default() };
    let others = tasks::list(reader, &filter).await?;
    if let Some(other) = others.iter().find(|other| other.status == "processing" && other.id != task.id) {
        return Ok(format!("an older revision of the same article is being processed (task {})", other.id));
    }
    if let Some(reason) = health::why_tasks_wait(database).await? {
        return Ok(reason);
    }
    if let Some(error) = &task.error_message {
        return Ok(format!("its last attempt failed: {error}; the next one is due"));
    }
    Ok(format!("it is due; waiting in all: {}, processing: {}", count(stats.pending, "task"), stats.processing))
}
