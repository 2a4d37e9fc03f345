//! `queue …`

mod show;
mod stats;

use std::time::Duration;

use afterword_actors::store::{
    Database, StoreError, control, events, hosts, leases, retention, sql,
    tasks::{self, Change, Filter},
};
use afterword_entities::{embedding_task, embedding_task_event};
use anyhow::anyhow;
use serde_json::json;

use super::{
    arguments::QueueCommand,
    output::{Usage, print_line},
    session::Session,
    table::{duration, short, table},
};
use crate::time::Timestamp;

/// Failed tasks put back in one transaction.
const PAGE: u32 = 200;
/// How often the audit trail is looked at.
const LOOK: Duration = Duration::from_millis(300);

pub(super) async fn run(session: &Session, command: QueueCommand) -> anyhow::Result<()> {
    let host = session.host().await?;
    let database = &host.database;
    match command {
        QueueCommand::Stats => stats::run(session, &host).await,
        QueueCommand::List { status, article, before, limit } => {
            let article_id = match article {
                Some(slug) => Some(host.articles.read(&slug).await?.id),
                None => None,
            };
            list(session, database, Filter { status, article_id, before, limit }).await
        }
        QueueCommand::Show { id } => show::run(session, database, id).await,
        QueueCommand::Retry { id } => retry(session, database, id).await,
        QueueCommand::RetryFailed => retry_failed(session, database).await,
        QueueCommand::Cancel { id } => cancel(session, database, id).await,
        QueueCommand::Pause => {
            let changed =
                database.write::<_, StoreError, _>(|transaction| Box::pin(control::pause(transaction))).await?;
            session.output.answer(&json!({ "paused": true, "changed": changed }), || {
                let text = "paused: tasks in work are finished, none is begun; `afterword queue resume` lets it go on";
                if changed { text.to_owned() } else { "it was paused already".to_owned() }
            })
        }
        QueueCommand::Resume => {
            let changed =
                database.write::<_, StoreError, _>(|transaction| Box::pin(control::resume(transaction))).await?;
            session.output.answer(&json!({ "paused": false, "changed": changed }), || {
                if changed { "resumed".to_owned() } else { "it was not paused".to_owned() }
            })
        }
        QueueCommand::Cleanup { older_than } => cleanup(session, database, older_than.as_deref()).await,
        QueueCommand::Rescue => rescue(session, database).await,
        QueueCommand::Events { task, limit } => {
            let filter = events::Filter { task_id: task, limit, ..events::Filter::default() };
            let events = events::list(database.reader(), &filter).await?;
            session.output.answer(&events, || events_table(&events))
        }
        QueueCommand::Watch => watch(session, database).await,
    }
}

async fn list(session: &Session, database: &Database, filter: Filter) -> anyhow::Result<()> {
    let tasks = tasks::list(database.reader(), &filter).await?;
    let now = sql::now(database.reader()).await?;
    session.output.answer(&tasks, || {
        table(
            ["id", "article", "operation", "status", "priority", "try", "age", "error"],
            tasks.iter().map(|t| row(t, now)),
        )
    })
}

fn row(task: &embedding_task::Model, now: i64) -> [String; 8] {
    [
        task.id.to_string(),
        short(&task.slug, 40),
        task.operation.clone(),
        task.status.clone(),
        task.priority.clone(),
        format!("{}/{}", task.attempts, task.max_attempts),
        duration(now - task.created_at),
        short(task.error_message.as_deref().unwrap_or_default(), 60),
    ]
}

async fn retry(session: &Session, database: &Database, id: i64) -> anyhow::Result<()> {
    let change = database.write::<_, StoreError, _>(move |transaction| Box::pin(tasks::retry(transaction, id))).await?;
    told(session, id, change, "is back in the queue, with fresh attempts")
}

async fn cancel(session: &Session, database: &Database, id: i64) -> anyhow::Result<()> {
    let change =
        database.write::<_, StoreError, _>(move |transaction| Box::pin(tasks::cancel(transaction, id))).await?;
    told(session, id, change, "cancelled")
}

fn told(session: &Session, id: i64, change: Change, done: &str) -> anyhow::Result<()> {
    match change {
        Change::Done => session.output.answer(&json!({ "id": id, "changed": true }), || format!("task {id} {done}")),
        Change::NotFound => Err(anyhow!("there is no task {id}; `afterword queue list` shows the last ones")),
        Change::NotAllowed(status) => Err(anyhow!("task {id} is {status}, so that this cannot be done")),
        Change::AlreadyWaiting(other) => {
            Err(anyhow!("task {other} of the same article waits already, and does the same work"))
        }
    }
}

async fn retry_failed(session: &Session, database: &Database) -> anyhow::Result<()> {
    let mut retried = 0;
    loop {
        let page =
            database.write::<_, StoreError, _>(|transaction| Box::pin(tasks::retry_failed(transaction, PAGE))).await?;
        retried += page;
        if page < u64::from(PAGE) {
            break;
        }
    }
    session.output.answer(&json!({ "retried": retried }), || format!("{retried} tasks are back in the queue"))
}

async fn cleanup(session: &Session, database: &Database, older_than: Option<&str>) -> anyhow::Result<()> {
    let age = match older_than {
        Some(text) => humantime::parse_duration(text).map_err(|error| {
            Usage(format!("--older-than \"{text}\" is no duration ({error}); write e.g. 12h or 7d"))
        })?,
        None => session.loaded.settings.retention.tasks,
    };
    let removed = retention::clean_tasks(database, age).await?;
    session.output.answer(&json!({ "removed": removed }), || format!("{removed} finished tasks removed"))
}

/// What a running host does by itself; for when none is.
async fn rescue(session: &Session, database: &Database) -> anyhow::Result<()> {
    let mut rescued = 0;
    let others = hosts::others(database.reader(), "", Duration::ZERO).await?;
    for host in database.dead_among(&others).await? {
        rescued += database
            .write::<_, StoreError, _>(move |transaction| {
                Box::pin(async move {
                    let mut rescued = 0;
                    loop {
                        let page = leases::rescue_from(transaction, &host).await?.len();
                        if page == 0 {
                            break;
                        }
                        rescued += page;
                    }
                    hosts::end(transaction, &host, "lost").await?;
                    Ok(rescued)
                })
            })
            .await?;
    }
    let expired =
        database.write::<_, StoreError, _>(|transaction| Box::pin(leases::rescue_expired(transaction))).await?;
    let rescued = rescued + expired.len();
    session.output.answer(&json!({ "rescued": rescued }), || {
        format!("{rescued} tasks that nobody works on are back in the queue")
    })
}

async fn watch(session: &Session, database: &Database) -> anyhow::Result<()> {
    const AT_ONCE: u32 = 1_000;
    let newest = events::list(database.reader(), &events::Filter { limit: 1, ..events::Filter::default() }).await?;
    let mut after = newest.last().map_or(0, |event| event.id);
    loop {
        let filter = events::Filter { after: Some(after), limit: AT_ONCE, ..events::Filter::default() };
        for event in events::list(database.reader(), &filter).await? {
            after = after.max(event.id);
            let line = if session.output.is_json() { serde_json::to_string(&event)? } else { event_line(&event) };
            print_line(&line);
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

fn event_line(event: &embedding_task_event::Model) -> String {
    let [at, task, name, change, detail] = event_cells(event);
    [at, task, name, change, detail].into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("  ")
}

pub(super) fn events_table(events: &[embedding_task_event::Model]) -> String {
    table(["at", "task", "event", "status", "detail"], events.iter().map(event_cells))
}

fn event_cells(event: &embedding_task_event::Model) -> [String; 5] {
    let change = match (&event.from_status, &event.to_status) {
        (Some(from), Some(to)) if from != to => format!("{from} → {to}"),
        (_, Some(to)) => to.clone(),
        (_, None) => String::new(),
    };
    [
        Timestamp(event.at).to_string(),
        event.task_id.map(|id| id.to_string()).unwrap_or_default(),
        event.event.clone(),
        change,
        short(event.detail.as_deref().unwrap_or_default(), 100),
    ]
}
