//! `queue …`: shows tasks and their audit trail, and does what an operator wants done to them.

pub(super) mod events;
mod show;
mod stats;

use std::time::Duration;

use self::events::{event_cells, events_table};

use afterword_actors::store::events::Filter;
use serde_json::json;

use super::{
    arguments::QueueCommand,
    failure::Usage,
    output::{print_line, reader_has_left},
    session::Session,
    table::{name, number, short, status, table, text},
    text_style::TextStyle,
};
use crate::{
    plural::count,
    queue::{Event, Queue, Task, TaskFilter},
    time::duration,
};

/// How often the audit trail is read.
const CHECK_INTERVAL: Duration = Duration::from_millis(300);

pub(super) async fn run(session: &Session, command: QueueCommand) -> anyhow::Result<()> {
    let host = session.host().await?;
    let queue = &host.queue;
    match command {
        QueueCommand::Stats => stats::run(session, queue).await,
        QueueCommand::List { status, article, before, limit } => {
            let article_id = match article {
                Some(slug) => Some(host.articles.read(&slug).await?.id),
                None => None,
            };
            list(session, queue, &TaskFilter { status, article_id, before, limit }).await
        }
        QueueCommand::Show { id } => show::run(session, queue, id).await,
        QueueCommand::Retry { id } => {
            queue.retry(id).await?;
            changed(session, id, "is back in the queue, with fresh attempts")
        }
        QueueCommand::RetryFailed => {
            let retried = queue.retry_failed().await?;
            session.output.answer(&json!({ "retried": retried }), |_| format!("{} put back", count(retried, "task")))
        }
        QueueCommand::Cancel { id } => {
            queue.cancel(id).await?;
            changed(session, id, "cancelled")
        }
        QueueCommand::Pause => {
            let changed = queue.pause().await?;
            session.output.answer(&json!({ "paused": true, "changed": changed }), |_| {
                let text =
                    "paused: hosts finish their tasks and claim no more; `afterword queue resume` ends the pause";
                if changed { text.to_owned() } else { "it was paused already".to_owned() }
            })
        }
        QueueCommand::Resume => {
            let changed = queue.resume().await?;
            session.output.answer(&json!({ "paused": false, "changed": changed }), |_| {
                if changed { "resumed".to_owned() } else { "it was not paused".to_owned() }
            })
        }
        QueueCommand::Cleanup { older_than } => clean_up(session, queue, older_than.as_deref()).await,
        QueueCommand::Rescue => {
            let rescued = queue.rescue().await?;
            session.output.answer(&json!({ "rescued": rescued }), |_| {
                format!("{} of dead hosts put back", count(rescued, "task"))
            })
        }
        QueueCommand::Events { task, limit } => {
            let events = queue.events(&Filter { task_id: task, limit }).await?;
            session.output.answer(&json!({ "events": events }), |look| events_table(look, &events))
        }
        QueueCommand::Watch => watch(session, queue).await,
    }
}

async fn list(session: &Session, queue: &Queue, filter: &TaskFilter) -> anyhow::Result<()> {
    let page = queue.tasks(filter).await?;
    let now = queue.now().await?;
    session.output.answer(&page, |look| list_of(look, &page.tasks, now))?;
    let (shown, all) = (page.tasks.len(), count(page.total, "task"));
    session.output.note(&match page.next_before {
        Some(before) => format!("{shown} of {all}; more with --before {before}"),
        None => all,
    });
    Ok(())
}

pub(super) fn list_of(look: TextStyle, tasks: &[Task], now: i64) -> String {
    let columns = [
        number("id"),
        name("article"),
        name("operation"),
        status("status"),
        name("priority"),
        number("attempts"),
        number("age"),
        text("error"),
    ];
    table(look, columns, tasks.iter().map(|task| row(task, now)))
}

fn row(task: &Task, now: i64) -> [String; 8] {
    [
        task.id.to_string(),
        task.slug.clone(),
        task.operation.clone(),
        task.status.clone(),
        task.priority.clone(),
        format!("{}/{}", task.attempts, task.max_attempts),
        duration(now - task.created_at.0),
        short(task.error_message.as_deref().unwrap_or_default(), 120),
    ]
}

fn changed(session: &Session, id: i64, done: &str) -> anyhow::Result<()> {
    session.output.answer(&json!({ "id": id, "changed": true }), |_| format!("task {id} {done}"))
}

async fn clean_up(session: &Session, queue: &Queue, older_than: Option<&str>) -> anyhow::Result<()> {
    let age = match older_than {
        Some(text) => humantime::parse_duration(text).map_err(|error| {
            Usage(format!("--older-than \"{text}\" is not a duration ({error}); write e.g. 12h or 7d"))
        })?,
        None if session.loaded.settings.retention.tasks.is_zero() => {
            let message = "retention.tasks is \"0s\", which keeps finished tasks for ever; say how old they must be: \
                           --older-than 7d";
            return Err(Usage(message.to_owned()).into());
        }
        None => session.loaded.settings.retention.tasks,
    };
    let removed = queue.clean_up(age).await?;
    session.output.answer(&json!({ "removed": removed }), |_| format!("{} removed", count(removed, "finished task")))
}

async fn watch(session: &Session, queue: &Queue) -> anyhow::Result<()> {
    const AT_ONCE: u32 = 1_000;
    let mut follower = queue.follow(None).await?;
    loop {
        for event in follower.next(AT_ONCE).await? {
            let line = if session.output.is_json() {
                serde_json::to_string(&event)?
            } else {
                event_line(session.output.look(), &event)
            };
            print_line(&line)?;
        }
        if reader_has_left() {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(CHECK_INTERVAL) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

fn event_line(look: TextStyle, event: &Event) -> String {
    event_cells(look, event).into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("  ")
}
