//! A model of the whole queue in memory: articles, revisions, tasks, leases, models, bulk runs, pause, audit trail.
//!
//! Nothing here knows SQL. Where the store and this machine differ, one of them is wrong; the rules of ARCHITECTURE.md
//! decide which. One transaction of the store is one method here.

mod articles;
mod hosts;
mod models;
mod runs;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};

use afterword_actors::{
    embedder::ErrorKind,
    task::{Operation, Priority, TaskStatus},
};

pub(crate) use articles::Saved;
pub(crate) use hosts::{Attempt, Memory, SeenArticle, incarnation};

/// The number of an article, a task, a model or a bulk run: 1 for the first.
pub(crate) type No = usize;

/// Attempts of a task.
pub(crate) const MAX_ATTEMPTS: i32 = 3;
/// Duration of a lease. *Units:* milliseconds, as for all times here.
pub(crate) const LEASE: i64 = 30_000;
/// From a text's transient failure to its next attempt.
pub(crate) const DELAY: i64 = 7_000;
/// How long finished tasks are kept.
pub(crate) const KEPT_TASKS: i64 = 7 * 24 * 3_600_000;
/// How long vectors are kept after searches stop using them.
pub(crate) const KEPT_RETIRED: i64 = 24 * 3_600_000;
/// Most tasks of low priority that wait for one set at a time.
pub(crate) const AHEAD: usize = 4;
/// How long the past of deleted articles is kept.
pub(crate) const KEPT_DELETED: i64 = 30 * 24 * 3_600_000;

/// Everything that is stored, in one form for store and machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) articles: BTreeMap<No, Article>,
    pub(crate) past: BTreeMap<(No, i64), Past>,
    pub(crate) aliases: BTreeMap<String, No>,
    pub(crate) models: BTreeMap<No, String>,
    pub(crate) vectors: BTreeMap<(No, No), Vectors>,
    pub(crate) tasks: BTreeMap<No, Task>,
    /// By task; `None` for acts that concern no task.
    pub(crate) audit: BTreeMap<Option<No>, Vec<Entry>>,
    pub(crate) runs: BTreeMap<No, Run>,
    pub(crate) hosts: BTreeMap<String, String>,
    pub(crate) counts: BTreeMap<TaskStatus, i64>,
    pub(crate) paused: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Article {
    pub(crate) slug: String,
    pub(crate) content: usize,
    pub(crate) skip: bool,
    pub(crate) revision: i64,
    pub(crate) updated: i64,
}

/// A revision that is no longer the present one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) slug: String,
    pub(crate) content: usize,
    pub(crate) skip: bool,
    pub(crate) since: i64,
    pub(crate) deleted: bool,
}

/// The vectors that a model has stored of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vectors {
    pub(crate) revision: i64,
    pub(crate) content: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) article: No,
    pub(crate) slug: String,
    pub(crate) operation: Operation,
    pub(crate) status: TaskStatus,
    pub(crate) priority: Priority,
    pub(crate) revision: i64,
    pub(crate) attempts: i32,
    pub(crate) scheduled: i64,
    /// The order of claims.
    pub(crate) key: i64,
    pub(crate) updated: i64,
    pub(crate) started: Option<i64>,
    pub(crate) completed: Option<i64>,
    /// The claim of its lease, and when that expires.
    pub(crate) lease: Option<(u64, i64)>,
    pub(crate) host: Option<String>,
    pub(crate) error: Option<ErrorKind>,
    pub(crate) cause: String,
    /// The model of its vectors; `None` for the set in use when it is claimed.
    pub(crate) model: Option<No>,
    /// At how many deaths of a host it was processed.
    pub(crate) crashes: u32,
}

/// An entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) at: i64,
    pub(crate) article: Option<No>,
    pub(crate) event: String,
    pub(crate) from: Option<TaskStatus>,
    pub(crate) to: Option<TaskStatus>,
    pub(crate) attempt: Option<i32>,
    pub(crate) error: Option<ErrorKind>,
}

/// A bulk run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) scope: String,
    pub(crate) state: String,
    /// Articles up to this one have been checked.
    pub(crate) cursor: No,
    /// Per article: its task, and whether that was there already.
    pub(crate) items: BTreeMap<No, (No, bool)>,
    /// At its end: succeeded, failed, skipped, cancelled.
    pub(crate) summary: Option<[i64; 4]>,
}

/// The stored rows, the hosts' memories, and the promises made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machine {
    pub(crate) rows: Rows,
    pub(crate) now: i64,
    pub(crate) memories: Vec<Memory>,
    /// Articles that a person saved and no person cancelled: they must become searchable.
    pub(crate) promised: BTreeSet<No>,
    articles: No,
    tasks: No,
    claims: u64,
    /// When sets went out of use, or their build was cancelled.
    retired: BTreeMap<No, i64>,
    /// Sets that have been in use.
    used: BTreeSet<No>,
    /// When sets were begun last.
    begun: BTreeMap<No, i64>,
}

impl Machine {
    pub(crate) fn new(now: i64, hosts: usize) -> Self {
        Self { now, memories: vec![Memory::default(); hosts], ..Self::default() }
    }

    /// The rows with their counts.
    pub(crate) fn rows(&self) -> Rows {
        let mut rows = self.rows.clone();
        let statuses = TaskStatus::ALL.iter().copied();
        rows.counts = statuses
            .map(|status| (status, self.rows.tasks.values().filter(|task| task.status == status).count() as i64))
            .collect();
        rows
    }

    /// Records an act in the audit trail that concerns no task.
    fn note(&mut self, article: Option<No>, event: impl Into<String>) {
        let (at, event) = (self.now, event.into());
        let entry = Entry { at, article, event, from: None, to: None, attempt: None, error: None };
        self.rows.audit.entry(None).or_default().push(entry);
    }

    /// The task of `article` in this status; at most one is pending, and one processing.
    fn task_of(&self, article: No, status: TaskStatus) -> Option<No> {
        self.rows.tasks.iter().find(|(_, task)| task.article == article && task.status == status).map(|(&no, _)| no)
    }

    /// Whether `model` has not stored the present content of `article`.
    fn needs(&self, article: No, model: No) -> bool {
        let Some(present) = self.rows.articles.get(&article) else { return false };
        self.rows.vectors.get(&(article, model)).is_none_or(|vectors| vectors.content != present.content)
    }

    pub(crate) fn pause(&mut self) -> bool {
        let changed = !std::mem::replace(&mut self.rows.paused, true);
        if changed {
            self.note(None, "queue paused");
        }
        changed
    }

    pub(crate) fn resume(&mut self) -> bool {
        let changed = std::mem::replace(&mut self.rows.paused, false);
        if changed {
            self.note(None, "queue resumed");
        }
        changed
    }

    /// Applies the retention.
    pub(crate) fn clean(&mut self) {
        let Rows { articles, tasks, runs, past, vectors, models, .. } = &mut self.rows;
        let now = self.now;
        let before = tasks.clone();
        let in_open_run = |no: &No| {
            runs.values().filter(|run| run.is_open()).any(|run| run.items.values().any(|(task, _)| task == no))
        };
        tasks.retain(|no, task| {
            let says_that_it_failed = task.status == TaskStatus::Failed
                && articles.contains_key(&task.article)
                && !before.range(no + 1..).any(|(_, newer)| newer.article == task.article);
            let is_old = task.completed.is_some_and(|at| at < now - KEPT_TASKS);
            !is_old || says_that_it_failed || in_open_run(no)
        });
        let gone: BTreeSet<No> = past
            .iter()
            .filter(|((no, _), past)| past.deleted && past.since < now - KEPT_DELETED && !articles.contains_key(no))
            .map(|((no, _), _)| *no)
            .collect();
        past.retain(|(no, _), _| !gone.contains(no));
        vectors.retain(|(_, model), _| {
            models[model] != "retired" || self.retired.get(model).is_none_or(|at| *at >= now - KEPT_RETIRED)
        });
    }
}
