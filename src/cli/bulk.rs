//! `bulk …`

use afterword_actors::store::backlog::Backlog;
use anyhow::anyhow;
use serde_json::json;

use super::{
    arguments::{BulkCommand, ScopeArguments},
    progress,
    session::{self, Session},
    table::{fields, name, number, short, status, table, time},
    text_style::TextStyle,
};
use crate::{
    articles::folder::Folder,
    bulk::{Bulk, BulkRun, BulkRunSummary},
    host::Host,
    hosts,
    plural::count,
    time::duration,
};

/// Most runs that are listed.
const MAX_LISTED_RUNS: u32 = 50;

pub(super) async fn run(session: &Session, command: BulkCommand) -> anyhow::Result<()> {
    let host = session.host().await?;
    match command {
        BulkCommand::Start { scope, folder, dry_run: true, .. } => {
            foresee(session, &host.bulk, scope.scope(), &session::folder(&folder)?).await
        }
        BulkCommand::Start { scope, folder, detach: true, .. } => {
            detach(session, &host, scope.scope(), &session::folder(&folder)?).await
        }
        BulkCommand::Start { scope, folder, .. } => {
            start(session, host, scope.scope(), &session::folder(&folder)?).await
        }
        BulkCommand::Status { id } => {
            let run = match id {
                Some(id) => host.bulk.run(id).await?,
                None => host.bulk.last().await?,
            };
            session.output.answer(&run, |look| text_of(look, &run))
        }
        BulkCommand::List => list(session, &host.bulk).await,
        BulkCommand::Cancel { id } => cancel(session, &host.bulk, id).await,
    }
}

impl ScopeArguments {
    fn scope(&self) -> Backlog {
        match self {
            Self { missing: true, .. } => Backlog::Missing,
            Self { failed: true, .. } => Backlog::Failed,
            Self { stale: true, .. } => Backlog::Stale,
            Self { all: true, .. } => Backlog::All,
            Self { .. } => Backlog::Needed,
        }
    }
}

async fn foresee(session: &Session, bulk: &Bulk, scope: Backlog, folder: &Folder) -> anyhow::Result<()> {
    let found = bulk.count(scope, folder).await?;
    let value = json!({ "scope": scope.as_str(), "articles": found.articles, "skipped": found.skipped });
    session.output.answer(&value, |_| {
        let articles = count(found.articles, "article");
        format!("{articles} would be queued ({}); never embedded: {}", scope.as_str(), found.skipped)
    })
}

async fn detach(session: &Session, host: &Host, scope: Backlog, folder: &Folder) -> anyhow::Result<()> {
    if !hosts::any_at_work(&host.database).await {
        return Err(nobody_at_work(host).await);
    }
    let id = host.bulk.start(scope, folder).await?;
    tell_shared(session, host, id).await?;
    session.output.answer(&json!({ "id": id }), |_| {
        format!("bulk run {id} started; `afterword bulk status {id}` shows the progress")
    })
}

/// Why no running host would carry out a run.
async fn nobody_at_work(host: &Host) -> anyhow::Error {
    let why = match hosts::any_running(&host.database).await {
        true => "the settings of no running host reach the model in use, so none would do the work",
        false => "no host is running to do the work",
    };
    anyhow!("{why}; leave out --detach to do it here")
}

/// Waits for the end of the run; does the work itself if no host is running that can.
async fn start(session: &Session, host: Host, scope: Backlog, folder: &Folder) -> anyhow::Result<()> {
    let is_done_elsewhere = hosts::any_at_work(&host.database).await;
    let id = host.bulk.start(scope, folder).await?;
    tell_shared(session, &host, id).await?;
    if is_done_elsewhere {
        let run = progress::wait_for_bulk(&host, id, session.output).await?;
        return finish(session, &run);
    }
    host.bulk.begin(id, host.settings().queue.sweep_batch).await?;
    let worker = session.worker(host).await?;
    let ended = progress::wait_for_bulk(&worker.host, id, session.output).await;
    worker.stop().await;
    finish(session, &ended?)
}

/// Says at the beginning of a run that others are about the same articles.
async fn tell_shared(session: &Session, host: &Host, id: i64) -> anyhow::Result<()> {
    if let Some(shared) = shared(&host.bulk.run(id).await?) {
        session.output.note(&shared);
    }
    Ok(())
}

/// Which other open runs may embed the same articles.
fn shared(run: &BulkRun) -> Option<String> {
    let others: Vec<_> = run.shares_with.iter().map(i64::to_string).collect();
    let runs = if others.len() == 1 { "bulk run" } else { "bulk runs" };
    let told = format!("{runs} {} may embed the same articles; they count in each of them", others.join(", "));
    (!others.is_empty()).then_some(told)
}

/// Shows the result of a run; a run with failures is a failure.
fn finish(session: &Session, run: &BulkRun) -> anyhow::Result<()> {
    session.output.answer(run, |look| text_of(look, run))?;
    if run.failed > 0 { Err(anyhow!("{} could not be embedded", count(run.failed, "article"))) } else { Ok(()) }
}

pub(super) fn text_of(look: TextStyle, run: &BulkRun) -> String {
    let mut rows = vec![
        ("bulk run", format!("{} ({})", run.summary.id, run.summary.scope)),
        ("state", run.summary.state.clone()),
        ("succeeded", run.succeeded.to_string()),
        ("failed", run.failed.to_string()),
        ("cancelled", run.cancelled.to_string()),
        ("duration", duration(run.duration_ms)),
    ];
    if run.left() > 0 && !run.has_ended() {
        rows.push(("left", format!("{} {}", run.left(), progress::pace(run))));
    }
    if let Some(reason) = &run.waits_because {
        rows.push(("waits", reason.clone()));
    }
    rows.extend(shared(run).map(|shared| ("shared", shared)));
    if let Some(skipped) = run.skipped {
        rows.push(("skipped", skipped.to_string()));
    }
    let mut text = fields(look, rows);
    for failure in &run.failures {
        let reason = failure.error_message.as_deref().unwrap_or("no reason recorded");
        text.push_str(&format!("\n  {} (task {}): {}", failure.slug, failure.task_id, short(reason, 200)));
    }
    text
}

async fn list(session: &Session, bulk: &Bulk) -> anyhow::Result<()> {
    let runs = bulk.list(MAX_LISTED_RUNS).await?;
    let value = json!({ "runs": runs, "total": bulk.total().await? });
    session.output.answer(&value, |look| list_of(look, &runs))
}

pub(super) fn list_of(look: TextStyle, runs: &[BulkRunSummary]) -> String {
    let columns = [number("id"), name("scope"), name("folder"), status("state"), time("requested"), number("duration")];
    table(look, columns, runs.iter().map(|run| row(look, run)))
}

fn row(look: TextStyle, run: &BulkRunSummary) -> [String; 6] {
    [
        run.id.to_string(),
        run.scope.clone(),
        run.folder.clone(),
        run.state.clone(),
        look.time(run.requested_at),
        run.finished_at.map(|at| duration(at.0 - run.requested_at.0)).unwrap_or_default(),
    ]
}

async fn cancel(session: &Session, bulk: &Bulk, id: i64) -> anyhow::Result<()> {
    let cancelled = bulk.cancel(id).await?;
    session.output.answer(&json!({ "id": id, "cancelled": cancelled }), |_| {
        if cancelled { format!("bulk run {id} cancelled") } else { format!("bulk run {id} had ended already") }
    })
}
