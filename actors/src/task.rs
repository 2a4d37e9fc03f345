//! The values of a task's life: the request, the claim, the result.

mod embedded;
mod failure;
mod names;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use embedded::{EmbeddedChunk, EmbeddedSet, Vectors};
pub use failure::Failure;
pub use names::UnknownName;

/// What happened to the article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// It is new.
    Create,
    /// It changed, or its embedding has to be made again.
    Update,
    /// Its vectors have to be removed.
    Delete,
}

/// The status of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskStatus {
    /// Waiting for a worker, or for the time of its next attempt.
    Pending,
    /// Claimed by a host, under a lease.
    Processing,
    /// Done; the next search sees it.
    Completed,
    /// Given up; the reason is stored with it.
    Failed,
    /// No longer needed, or stopped by a person.
    Cancelled,
}

/// How urgent a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Many articles at once: maintenance, bulk runs, re-embedding.
    Low,
    /// Creates and updates.
    Normal,
    /// A person waits for this article.
    High,
}

impl Priority {
    /// How far it is put behind a task of high priority in the queue. Fixed when the task is scheduled, so that a task
    /// that waits overtakes every later one: a low task never starves.
    pub const fn handicap(self) -> Duration {
        match self {
            Self::High => Duration::ZERO,
            Self::Normal => Duration::from_secs(60),
            // Longer than most imports take: all of an import waits at once, and a save goes before it.
            Self::Low => Duration::from_secs(2 * 3600),
        }
    }
}

/// A task to be queued.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// `articles.id`
    pub article_id: i64,
    /// The slug as it is now, for people.
    pub slug: String,
    /// What happened.
    pub operation: Operation,
    /// How urgent it is.
    pub priority: Priority,
    /// The oldest revision that may be embedded.
    pub revision: i64,
    /// All attempts, the first included.
    pub max_attempts: u32,
    /// The reason, for the audit trail.
    pub cause: &'static str,
    /// Joins the log lines from save to searchable.
    pub trace_id: Option<String>,
}

impl NewTask {
    /// Makes the task of an article that was just created: 3 attempts, normal priority.
    pub fn created(article_id: i64, slug: impl Into<String>) -> Self {
        Self {
            article_id,
            slug: slug.into(),
            operation: Operation::Create,
            priority: Priority::Normal,
            revision: 1,
            max_attempts: 3,
            cause: "saved",
            trace_id: None,
        }
    }

    /// Makes the task of an article that was changed and has now this revision: 3 attempts, normal priority.
    pub fn updated(article_id: i64, slug: impl Into<String>, revision: i64) -> Self {
        Self { operation: Operation::Update, revision, ..Self::created(article_id, slug) }
    }
}

/// A claimed task, with the state of its article at the claim.
#[derive(Debug, Clone)]
pub struct ClaimedTask {
    /// What finish, renew and release are checked against.
    pub lease: Lease,
    /// `articles.id`
    pub article_id: i64,
    /// The article's slug, for people.
    pub slug: String,
    /// What happened.
    pub operation: Operation,
    /// How urgent it is.
    pub priority: Priority,
    /// See [`Position`].
    pub queue_key: i64,
    /// The revision that it was asked to embed.
    pub revision: i64,
    /// This attempt's number, from 1.
    pub attempt: u32,
    /// All attempts that it may take.
    pub max_attempts: u32,
    /// The worker slot it was claimed for.
    pub slot: Slot,
    /// From becoming due to being claimed.
    pub waited: Duration,
    /// Joins the log lines from save to searchable.
    pub trace_id: Option<String>,
    /// The set that the vectors are made for: `embedding_models.id`.
    pub model_id: i64,
    /// How many times a host died while processing it.
    pub crashes: u32,
    /// The article at the moment of the claim.
    pub subject: ArticleSnapshot,
}

impl ClaimedTask {
    /// Its position in the queue.
    pub fn position(&self) -> Position {
        Position { queue_key: self.queue_key, id: self.lease.task_id }
    }
}

/// A task's position in the queue: the order of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// `embedding_tasks.queue_key`
    pub queue_key: i64,
    /// `embedding_tasks.id`
    pub id: i64,
}

impl Position {
    /// The position before every task.
    pub(crate) const FRONT: Self = Self { queue_key: i64::MIN, id: 0 };
}

/// Proof of a claim. The token is new at every claim and never repeats.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease {
    /// `embedding_tasks.id`
    pub task_id: i64,
    /// The claim's own token.
    pub token: String,
}

/// The state of the article at the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArticleSnapshot {
    /// It has been deleted.
    Gone,
    /// It is not to be embedded.
    Skipped,
    /// Its content is embedded already; only the revision has to be recorded.
    Unchanged {
        /// The present revision.
        revision: i64,
    },
    /// Its content has to be embedded.
    Changed,
}

/// A worker slot of this host, from 0.
pub type Slot = u32;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A task that was at `queue_key`.
    pub(crate) fn claimed_at(queue_key: i64) -> ClaimedTask {
        ClaimedTask {
            lease: Lease { task_id: 1, token: String::new() },
            article_id: 1,
            slug: String::new(),
            operation: Operation::Update,
            priority: Priority::Normal,
            queue_key,
            revision: 1,
            attempt: 1,
            max_attempts: 3,
            slot: 0,
            waited: Duration::ZERO,
            trace_id: None,
            model_id: 1,
            crashes: 0,
            subject: ArticleSnapshot::Changed,
        }
    }
}
