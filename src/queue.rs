//! The queue as people and programs manage it. Every door calls this.
//!
//! It shows tasks and their audit trail, and does what a person wants done to them. It processes no task itself: that
//! is the runtime's job.

mod coverage;
mod error;
mod explain;
mod follower;
mod minutes;
mod numbers;
mod trail;
mod view;

use std::{sync::Arc, time::Duration};

use afterword_actors::{
    RuntimeHandle,
    store::{
        Database, StoreError, control, events, leases, retention, sql, stats,
        tasks::{self, Change},
    },
    task::TaskStatus,
};

pub use coverage::FolderCoverage;
pub use error::QueueError;
pub use follower::Follower;
pub use minutes::Minute;

use crate::api::{EmbeddingState, EmbeddingStatus, Permission};
use trail::Names;

pub use crate::api::{Coverage, Event, Numbers, QueueNumbers, Task, TaskDetail, TaskPage, WorkerNumbers};

/// Failed tasks looked at in one transaction.
const TASKS_PER_TRANSACTION: u32 = 200;
/// Entries of the audit trail that are shown of one task.
const MAX_TRAIL_ENTRIES: u32 = 200;

/// Manages the queue. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    database: Database,
    coverage: coverage::Recent,
    runtime: Option<RuntimeHandle>,
    names: Names,
}

/// Which tasks to list.
#[derive(Debug, Clone, Default)]
pub struct TaskFilter {
    /// Only of this status.
    pub status: Option<TaskStatus>,
    /// Only of the article with this number.
    pub article_id: Option<i64>,
    /// Only older than this task: the end of the page before.
    pub before: Option<i64>,
    /// Most rows.
    pub limit: u32,
}

impl Queue {
    /// Makes the service for `database`.
    pub fn new(database: Database) -> Self {
        Self { database, coverage: coverage::Recent::default(), runtime: None, names: Names::default() }
    }

    /// The same, waking the runtime of this process when there is something to do.
    pub(crate) fn waking(self, runtime: RuntimeHandle) -> Self {
        Self { runtime: Some(runtime), ..self }
    }

    /// The same, as it is shown to callers of this scope: names of deleted articles are for those who may restore them.
    pub(crate) fn seen_by(&self, scope: Permission) -> Self {
        let names = if scope >= Permission::Write { Names::All } else { Names::Present };
        Self { names, ..self.clone() }
    }

    /// Returns exact numbers now, and rates of the last hour.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn numbers(&self) -> Result<Numbers, QueueError> {
        let coverage = coverage::now(&self.database).await?;
        Ok(numbers::of(self.database.reader(), coverage).await?)
    }

    /// The same for callers that ask every few seconds: the coverage may be half a minute old, where counting it takes
    /// long.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn gauges(&self) -> Result<Numbers, QueueError> {
        let coverage = self.coverage.of(&self.database).await?;
        Ok(numbers::of(self.database.reader(), coverage).await?)
    }

    /// The coverage of [`Queue::gauges`] for each folder at the top, the one with the most to embed first.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn coverage_by_folder(&self) -> Result<Arc<[FolderCoverage]>, QueueError> {
        Ok(self.coverage.by_folder(&self.database).await?)
    }

    /// Returns what was done in each minute of the last hour, the oldest first; minutes for which no host wrote are
    /// missing.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn minutes(&self) -> Result<Vec<Minute>, QueueError> {
        Ok(minutes::of_the_last_hour(self.database.reader()).await?)
    }

    /// Returns tasks, the newest first.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn tasks(&self, filter: &TaskFilter) -> Result<TaskPage, QueueError> {
        let TaskFilter { status, article_id, before, limit } = *filter;
        let filter = tasks::Filter { status, article_id, before, limit: limit.saturating_add(1) };
        let mut rows = tasks::list(self.database.reader(), &filter).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_before = rows.last().filter(|_| more).map(|row| row.id);
        let total = self.total(status, article_id).await?;
        let tasks = rows.into_iter().map(Task::from).collect();
        Ok(TaskPage { tasks: self.names.of_tasks(&self.database, tasks).await?, total, next_before })
    }

    async fn total(&self, status: Option<TaskStatus>, article_id: Option<i64>) -> Result<i64, StoreError> {
        let reader = self.database.reader();
        if let Some(article_id) = article_id {
            return tasks::count_of_article(reader, article_id, status).await;
        }
        let counted = stats::queue(reader).await?;
        Ok(match status {
            None => counted.total(),
            Some(TaskStatus::Pending) => counted.pending,
            Some(TaskStatus::Processing) => counted.processing,
            Some(TaskStatus::Completed) => counted.completed,
            Some(TaskStatus::Failed) => counted.failed,
            Some(TaskStatus::Cancelled) => counted.cancelled,
        })
    }

    /// Returns one task with its audit trail, and the reason for its state.
    ///
    /// # Errors
    /// [`QueueError::NotFound`]
    pub async fn task(&self, id: i64) -> Result<TaskDetail, QueueError> {
        let not_found = || QueueError::NotFound(id);
        let mut row = tasks::find(self.database.reader(), id).await?.ok_or_else(not_found)?;
        let tasks = self.names.of_tasks(&self.database, vec![row.clone().into()]).await?;
        let task = tasks.into_iter().next().ok_or_else(not_found)?;
        // Who is not told of the error is not told of it as a reason either.
        row.error_message.clone_from(&task.error_message);
        let explanation = explain::explain(&self.database, &row).await?;
        let filter = events::Filter { task_id: Some(id), limit: MAX_TRAIL_ENTRIES };
        let events = self.events(&filter).await?;
        Ok(TaskDetail { task, explanation, events })
    }

    /// Returns entries of the audit trail, the oldest first.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn events(&self, filter: &events::Filter) -> Result<Vec<Event>, QueueError> {
        Ok(self.names.of_events(&self.database, events::list(self.database.reader(), filter).await?).await?)
    }

    /// Returns up to `limit` entries of the audit trail after the entry `after`, the oldest first: for pages of it. To
    /// follow it without a gap, use [`Queue::follow`].
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn events_after(&self, after: i64, limit: u32) -> Result<Vec<Event>, QueueError> {
        let rows = events::following(self.database.reader(), after, limit).await?;
        Ok(self.names.of_events(&self.database, rows).await?)
    }

    /// Returns up to `limit` entries of the audit trail before the entry `before`, the oldest first.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn events_before(&self, before: i64, limit: u32) -> Result<Vec<Event>, QueueError> {
        let rows = events::preceding(self.database.reader(), before, limit).await?;
        Ok(self.names.of_events(&self.database, rows).await?)
    }

    /// Follows the audit trail after the entry `last`, or, without one, after the newest.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn follow(&self, last: Option<i64>) -> Result<Follower, QueueError> {
        Ok(Follower::start(self.database.clone(), self.names, last).await?)
    }

    /// Puts a failed or cancelled task back with fresh attempts; a waiting one becomes due at once.
    ///
    /// # Errors
    /// [`QueueError::NotFound`], [`QueueError::NotAllowed`], [`QueueError::AlreadyWaiting`]
    pub async fn retry(&self, id: i64) -> Result<(), QueueError> {
        let change = self.database.write(async move |transaction| tasks::retry(transaction, id).await).await?;
        self.wake();
        done(id, change)
    }

    /// Puts the newest failed task of every article back; returns how many.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn retry_failed(&self) -> Result<u64, QueueError> {
        let (mut retried, mut next) = (0, Some(0));
        while let Some(after) = next {
            let page = self
                .database
                .write(async move |transaction| tasks::retry_failed(transaction, after, TASKS_PER_TRANSACTION).await)
                .await?;
            retried += page.tasks;
            next = page.next;
            self.wake();
        }
        Ok(retried)
    }

    /// Puts the task of an article back whose embedding failed; returns how many that are, one or none.
    ///
    /// # Errors
    /// As of [`Queue::retry`].
    pub async fn retry_failed_of(&self, embedding: &EmbeddingStatus) -> Result<u64, QueueError> {
        let (EmbeddingState::Failed, Some(id)) = (embedding.status, embedding.task_id) else { return Ok(0) };
        self.retry(id).await?;
        Ok(1)
    }

    /// Cancels a waiting task.
    ///
    /// # Errors
    /// [`QueueError::NotFound`], [`QueueError::NotAllowed`]
    pub async fn cancel(&self, id: i64) -> Result<(), QueueError> {
        let change = self.database.write(async move |transaction| tasks::cancel(transaction, id).await).await?;
        done(id, change)
    }

    /// Stops every host from claiming tasks. Returns whether this changed anything.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn pause(&self) -> Result<bool, QueueError> {
        Ok(self.database.write(async |transaction| control::pause(transaction).await).await?)
    }

    /// Lets every host claim tasks again. Returns whether this changed anything.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn resume(&self) -> Result<bool, QueueError> {
        let changed = self.database.write(async |transaction| control::resume(transaction).await).await?;
        self.wake();
        Ok(changed)
    }

    /// Removes tasks that finished longer ago than `age`; returns how many.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn clean_up(&self, age: Duration) -> Result<u64, QueueError> {
        Ok(retention::clean_tasks(&self.database, age).await?)
    }

    /// Puts the tasks of dead hosts back: what a running host does by itself. Returns how many.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn rescue(&self) -> Result<usize, QueueError> {
        let mut rescued = 0;
        for host in crate::hosts::dead(&self.database).await? {
            rescued +=
                self.database.write(async move |transaction| leases::rescue_all_from(transaction, &host).await).await?;
        }
        let expired = self.database.write(async |transaction| leases::rescue_expired(transaction, None).await).await?;
        self.wake();
        Ok(rescued + expired.len())
    }

    /// Returns the time by the database's clock. *Units:* milliseconds since 1970.
    ///
    /// # Errors
    /// [`QueueError::Store`]
    pub async fn now(&self) -> Result<i64, QueueError> {
        Ok(sql::now(self.database.reader()).await?)
    }

    fn wake(&self) {
        if let Some(runtime) = &self.runtime {
            runtime.wake();
        }
    }
}

fn done(id: i64, change: Change) -> Result<(), QueueError> {
    match change {
        Change::Done => Ok(()),
        Change::NotFound => Err(QueueError::NotFound(id)),
        Change::NotAllowed(status) => Err(QueueError::NotAllowed { id, status }),
        Change::AlreadyWaiting(other) => Err(QueueError::AlreadyWaiting { id, other }),
    }
}
