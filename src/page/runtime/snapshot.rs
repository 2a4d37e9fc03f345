//! A snapshot of everything that the view of the runtime shows. The cost of each query does not grow with what has been
//! done before.

use std::{collections::HashSet, sync::Arc};

use afterword_actors::{Trouble, store::events::Filter, task::TaskStatus};

use crate::{
    articles::{EmbeddingState, summaries},
    auth::Permission,
    bulk::BulkRun,
    health::Report,
    hosts::{self, Actor, LivingHost, Worker},
    page::{app::PageState, memory::Memory, refusal::Refusal},
    queue::{Event, FolderCoverage, Minute, Numbers, Task, TaskFilter},
    sets::SetsStatus,
};

/// At most this many failed tasks are read; of older ones only the number is shown.
pub(super) const MAX_FAILURES: u32 = 500;
/// At most this many entries of the audit trail are shown.
const MAX_ENTRIES: u32 = 12;
/// Open runs are searched among this many of the last.
const MAX_RUNS: u32 = 5;

/// The state of everything at one moment.
pub(super) struct Snapshot {
    /// *Units:* milliseconds since 1970, by the database's clock.
    pub(super) now: i64,
    pub(super) report: Report,
    pub(super) numbers: Numbers,
    pub(super) folders: Arc<[FolderCoverage]>,
    pub(super) minutes: Vec<Minute>,
    pub(super) hosts: Vec<HostView>,
    /// One of each article.
    pub(super) failed: Vec<Task>,
    pub(super) runs: Vec<BulkRun>,
    pub(super) change: Option<SetsStatus>,
    pub(super) trail: Vec<Event>,
}

/// A host, its actors and its workers, with the times of their last changes of state.
pub(super) struct HostView {
    pub(super) host: LivingHost,
    pub(super) tree: Option<ActorView>,
    pub(super) workers: Vec<Worker>,
    pub(super) circuit: Option<Circuit>,
}

/// An actor as it is shown.
pub(super) struct ActorView {
    pub(super) actor: Actor,
    /// *Units:* milliseconds since 1970.
    pub(super) since: i64,
    pub(super) children: Vec<ActorView>,
}

/// A provider that fails.
pub(super) struct Circuit {
    pub(super) kind: String,
    pub(super) message: String,
    /// *Units:* milliseconds since 1970.
    pub(super) since: i64,
    /// *Units:* milliseconds since 1970.
    pub(super) next_probe: i64,
}

pub(super) async fn take(app: &PageState, memory: &mut Memory) -> Result<Snapshot, Refusal> {
    memory.begin();
    // Everybody who reads sees it.
    let queue = app.host.queue.seen_by(Permission::Read);
    let now = queue.now().await?;
    let numbers = queue.gauges().await?;
    let failed = if numbers.queue.failed > 0 { failed_tasks(app).await? } else { Vec::new() };
    Ok(Snapshot {
        now,
        report: app.health.report(),
        minutes: queue.minutes().await?,
        hosts: hosts_of(app, memory, now).await?,
        failed,
        folders: queue.coverage_by_folder().await?,
        runs: open_runs(app).await?,
        change: change(app).await?,
        trail: queue
            .events(&Filter { task_id: None, limit: MAX_ENTRIES })
            .await?
            .into_iter()
            .filter(|entry| !entry.is_of_tokens())
            .collect(),
        numbers,
    })
}

/// The newest task of each article whose embedding has failed, as everybody who reads sees it. A failure that a later
/// task has made good, and one of a deleted article, leaves nothing to be done.
pub(super) async fn failed_tasks(app: &PageState) -> Result<Vec<Task>, Refusal> {
    let failures = TaskFilter { status: Some(TaskStatus::Failed), limit: MAX_FAILURES, ..TaskFilter::default() };
    let mut tasks = app.host.queue.seen_by(Permission::Read).tasks(&failures).await?.tasks;
    let mut seen = HashSet::new();
    tasks.retain(|task| seen.insert(task.article_id));
    let articles: Vec<_> = tasks.iter().map(|task| task.article_id).collect();
    let found = summaries(app.host.database.reader(), &articles).await?;
    let failed: HashSet<_> = found
        .into_iter()
        .filter(|found| found.article.embedding.status == EmbeddingState::Failed)
        .map(|found| found.id)
        .collect();
    tasks.retain(|task| failed.contains(&task.article_id));
    Ok(tasks)
}

async fn hosts_of(app: &PageState, memory: &mut Memory, now: i64) -> Result<Vec<HostView>, Refusal> {
    let (mut living, mut workers) =
        (hosts::living(&app.host.database).await?, hosts::workers(&app.host.database).await?);
    // For this host, the tree itself is newer than its last report.
    let own = app.runtime.status().await;
    if let (Some(own), Some(host)) = (own, living.iter_mut().find(|host| host.incarnation == app.runtime.incarnation()))
    {
        host.trouble = own.trouble;
        host.tree = Some(Actor::from(own.tree));
    }
    let mut seen = Vec::new();
    for mut host in living {
        // The report of another host is as old as its last heartbeat.
        let at = if host.incarnation == app.runtime.incarnation() { now } else { host.heartbeat_at.0 };
        let name = host.incarnation.clone();
        let tree = host.tree.take().map(|tree| seen_actor(memory, &name, tree, at));
        let circuit = host.trouble.iter().find_map(|trouble| circuit(memory, &name, trouble, at));
        let own;
        (own, workers) = workers.into_iter().partition(|worker| worker.incarnation == name);
        seen.push(HostView { host, tree, workers: own, circuit });
    }
    Ok(seen)
}

fn seen_actor(memory: &mut Memory, above: &str, mut actor: Actor, now: i64) -> ActorView {
    let name = format!("{above}/{}", actor.name);
    let since = now - i64::try_from(actor.for_ms).unwrap_or_default();
    let since = memory.steady(format!("{name}/{}", actor.state), since);
    let children = std::mem::take(&mut actor.children);
    let children = children.into_iter().map(|child| seen_actor(memory, &name, child, now)).collect();
    ActorView { actor, since, children }
}

fn circuit(memory: &mut Memory, host: &str, trouble: &Trouble, now: i64) -> Option<Circuit> {
    let Trouble::Provider { kind, message, open_ms, next_probe_ms } = trouble else { return None };
    let length = |ms: &u64| i64::try_from(*ms).unwrap_or_default();
    Some(Circuit {
        kind: kind.to_string(),
        message: message.clone(),
        since: memory.steady(format!("{host} circuit"), now - length(open_ms)),
        next_probe: memory.steady(format!("{host} probe"), now + length(next_probe_ms)),
    })
}

/// Open runs, and the one that ended last.
async fn open_runs(app: &PageState) -> Result<Vec<BulkRun>, Refusal> {
    let mut runs = Vec::new();
    for (at, run) in app.host.bulk.list(MAX_RUNS).await?.into_iter().enumerate() {
        if run.finished_at.is_none() || at == 0 {
            runs.push(app.host.bulk.seen_by(Permission::Read).run(run.id).await?);
        }
    }
    Ok(runs)
}

async fn change(app: &PageState) -> Result<Option<SetsStatus>, Refusal> {
    let sets = app.host.sets();
    Ok(if sets.is_changing().await? { Some(app.model.status(&sets).await?) } else { None })
}
