//! `bulk …`

use afterword_actors::store::{
    StoreError, bulk,
    missing::{self, Scope},
};
use afterword_entities::bulk_operation;
use anyhow::anyhow;
use serde_json::json;

use super::{
    arguments::{BulkCommand, ScopeArguments},
    progress,
    session::{self, Session},
    table::{duration, fields, short, table},
};
use crate::{host::Host, time::Timestamp};

/// Runs listed at most.
const LISTED: u32 = 50;

pub(super) async fn run(session: &Session, command: BulkCommand) -> anyhow::Result<()> {
    match command {
        BulkCommand::Start { scope, folder, dry_run, detach } => {
            start(session, scope.scope(), &folder, dry_run, detach).await
        }
        BulkCommand::Status { id } => status(session, id).await,
        BulkCommand::List => list(session).await,
        BulkCommand::Cancel { id } => cancel(session, id).await,
    }
}

impl ScopeArguments {
    fn scope(&self) -> Scope {
        match self {
            Self { missing: true, .. } => Scope::Missing,
            Self { failed: true, .. } => Scope::Failed,
            Self { stale: true, .. } => Scope::Stale,
            Self { all: true, .. } => Scope::All,
            Self { .. } => Scope::Needed,
        }
    }
}

async fn start(session: &Session, scope: Scope, folder: &str, dry_run: bool, detach: bool) -> anyhow::Result<()> {
    let folder = session::folder(folder)?.to_string();
    let host = session.host().await?;
    if dry_run {
        return count(session, &host, scope, &folder).await;
    }
    let somebody_works = session.somebody_works(&host.database).await;
    if detach && !somebody_works {
        return Err(anyhow!("no host is running that would do the work; leave out --detach to do it here"));
    }
    let id = host
        .database
        .write::<_, StoreError, _>(move |transaction| {
            Box::pin(async move { bulk::open(transaction, scope, &folder).await })
        })
        .await?;
    if detach {
        return session.output.answer(&json!({ "id": id }), || {
            format!("bulk run {id} started; `afterword bulk status {id}` shows how it goes")
        });
    }
    if somebody_works {
        progress::wait_for_bulk(&host.database, id, session.output).await?;
        return finish(session, &host, id).await;
    }
    queue_all(&host, id, session.loaded.settings.queue.max_attempts).await?;
    let worker = session.worker(host).await?;
    let ended = match progress::wait_for_bulk(&worker.host.database, id, session.output).await {
        Ok(()) => finish(session, &worker.host, id).await,
        Err(error) => Err(error),
    };
    worker.stop().await;
    ended
}

/// Before the workers begin: what waits already is part of the run, and must not be embedded before the run sees it.
async fn queue_all(host: &Host, id: i64, max_attempts: u32) -> anyhow::Result<()> {
    // Without a model nothing has been embedded yet, which is what number 0 says.
    let model_id = host.model_row().await?.map_or(0, |row| row.id);
    let run = bulk::find(host.database.reader(), id).await?.ok_or_else(|| anyhow!("bulk run {id} is gone"))?;
    let run = std::sync::Arc::new(run);
    loop {
        let page_of = std::sync::Arc::clone(&run);
        let more = host
            .database
            .write::<_, StoreError, _>(move |transaction| {
                Box::pin(async move { bulk::advance(transaction, &page_of, model_id, max_attempts).await })
            })
            .await?;
        if !more {
            return Ok(());
        }
    }
}

async fn count(session: &Session, host: &Host, scope: Scope, folder: &str) -> anyhow::Result<()> {
    let model_id = host.model_row().await?.map_or(0, |row| row.id);
    let (articles, skipped) = missing::count(host.database.reader(), model_id, scope, folder).await?;
    session.output.answer(&json!({ "scope": scope.as_str(), "articles": articles, "skipped": skipped }), || {
        format!("{articles} articles would be queued ({}); {skipped} are never embedded", scope.as_str())
    })
}

/// Shows how a run ended; a run with failures is a failure.
async fn finish(session: &Session, host: &Host, id: i64) -> anyhow::Result<()> {
    let run = bulk::find(host.database.reader(), id).await?.ok_or_else(|| anyhow!("bulk run {id} is gone"))?;
    show(session, host, &run).await?;
    let failed = bulk::progress(host.database.reader(), id).await?.failed;
    if failed > 0 { Err(anyhow!("{failed} articles could not be embedded")) } else { Ok(()) }
}

async fn status(session: &Session, id: Option<i64>) -> anyhow::Result<()> {
    let host = session.host().await?;
    let reader = host.database.reader();
    let run = match id {
        Some(id) => bulk::find(reader, id).await?.ok_or_else(|| anyhow!("there is no bulk run {id}"))?,
        None => {
            let last = bulk::list(reader, 1).await?.pop();
            last.ok_or_else(|| anyhow!("there has been no bulk run; `afterword bulk start` begins one"))?
        }
    };
    show(session, &host, &run).await
}

async fn show(session: &Session, host: &Host, run: &bulk_operation::Model) -> anyhow::Result<()> {
    let now = afterword_actors::store::sql::now(host.database.reader()).await?;
    let progress = bulk::progress(host.database.reader(), run.id).await?;
    let failures = bulk::failures(host.database.reader(), run.id, LISTED).await?;
    let summary: Option<bulk::Summary> = run.summary.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let elapsed = run.finished_at.unwrap_or(now) - run.requested_at;
    let value = json!({
        "id": run.id, "scope": run.scope, "folder": run.folder, "state": run.state,
        "requested_at": Timestamp(run.requested_at), "duration_ms": elapsed,
        "progress": progress, "summary": summary, "failures": failures,
    });
    session.output.answer(&value, || {
        let mut rows = vec![
            ("bulk run", format!("{} ({})", run.id, run.scope)),
            ("state", run.state.clone()),
            ("succeeded", progress.succeeded.to_string()),
            ("failed", progress.failed.to_string()),
            ("cancelled", progress.cancelled.to_string()),
            ("duration", duration(elapsed)),
        ];
        if progress.open > 0 {
            let gone = u64::try_from(elapsed).unwrap_or(0);
            let ended = progress.queued - progress.open;
            let rate = progress::rate(ended, progress.open, std::time::Duration::from_millis(gone));
            rows.push(("open", format!("{} {rate}", progress.open)));
        }
        if let Some(summary) = &summary {
            rows.push(("skipped", summary.skipped.to_string()));
        }
        let mut text = fields(rows);
        for failure in &failures {
            let reason = failure.error_message.as_deref().unwrap_or("no reason recorded");
            text.push_str(&format!("\n  {} (task {}): {}", failure.slug, failure.task_id, short(reason, 200)));
        }
        text
    })
}

async fn list(session: &Session) -> anyhow::Result<()> {
    let host = session.host().await?;
    let runs = bulk::list(host.database.reader(), LISTED).await?;
    let value: Vec<_> = runs
        .iter()
        .map(|run| {
            json!({
                "id": run.id, "scope": run.scope, "folder": run.folder, "state": run.state,
                "requested_at": Timestamp(run.requested_at), "finished_at": run.finished_at.map(Timestamp),
            })
        })
        .collect();
    session.output.answer(&value, || {
        let rows = runs.iter().map(|run| {
            [
                run.id.to_string(),
                run.scope.clone(),
                run.folder.clone(),
                run.state.clone(),
                Timestamp(run.requested_at).to_string(),
                run.finished_at.map(|at| duration(at - run.requested_at)).unwrap_or_default(),
            ]
        });
        table(["id", "scope", "folder", "state", "started", "duration"], rows)
    })
}

async fn cancel(session: &Session, id: i64) -> anyhow::Result<()> {
    let host = session.host().await?;
    if bulk::find(host.database.reader(), id).await?.is_none() {
        return Err(anyhow!("there is no bulk run {id}; `afterword bulk list` shows all"));
    }
    let cancelled =
        host.database.write::<_, StoreError, _>(move |transaction| Box::pin(bulk::cancel(transaction, id))).await?;
    session.output.answer(&json!({ "id": id, "cancelled": cancelled }), || {
        if cancelled { format!("bulk run {id} cancelled") } else { format!("bulk run {id} had ended already") }
    })
}
