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
        "failed" => format!("{}; `afterword queue retry {}` tries again", why_it_failed(task), task.id),
        "cancelled" if task.cause == "cancelled" => {
            format!("cancelled by hand; `afterword queue retry {}` puts it back", task.id)
        }
        "cancelled" => format!("not needed any more: {}", task.cause),
        _ => "done".to_owned(),
    })
}

fn why_it_failed(task: &embedding_task::Model) -> String {
    match &task.error_message {
        Some(error) => format!("failed: {error}"),
        None if task.cause == "failed" => task.cause.clone(),
        None => format!("failed: {}", task.cause),
    }
}

async fn why_it_waits(database: &Database, task: &embedding_task::Model) -> Result<String, StoreError> {
    let reader = database.reader();
    let stats = stats::queue(reader).await?;
    if stats.paused {
        return Ok(health::PAUSED.to_owned());
    }
    let wait = task.scheduled_at - sql::now(reader).await?;
    let failed = task.error_message.as_ref().map(|error| format!("its last attempt failed: {error}"));
    if wait > 0 {
        let next = format!("its next attempt is in {}", duration(wait));
        let why = health::why_tasks_wait(database).await?.or(failed);
        return Ok(why.map_or_else(|| next.clone(), |why| format!("{why}; {next}")));
    }
    let filter = tasks::Filter { article_id: Some(task.article_id), limit: 10, ..tasks::Filter::default() };
    let others = tasks::list(reader, &filter).await?;
    if let Some(other) = others.iter().find(|other| other.status == "processing" && other.id != task.id) {
        return Ok(format!("an older revision of the same article is being processed (task {})", other.id));
    }
    if let Some(reason) = health::why_tasks_wait(database).await? {
        return Ok(reason);
    }
    if let Some(failed) = failed {
        return Ok(format!("{failed}; the next one is due"));
    }
    Ok(format!("it is due; waiting in all: {}, processing: {}", count(stats.pending, "task"), stats.processing))
}
