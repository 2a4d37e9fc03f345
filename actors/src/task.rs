//! The values of a task's life: what is asked, what is claimed, what came of it.

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
    /// Its vectors have to go.
    Delete,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskStatus {
    /// Waiting for a worker, or for the time of its next attempt.
    Pending,
    /// A worker holds it under a lease.
    Processing,
    /// Done; the next search sees it.
    Completed,
    /// Given up; it says why.
    Failed,
    /// Not needed any more, or stopped by a person.
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
    /// A person waits for this one article.
    High,
}

impl Priority {
    /// How far behind a task of high priority it stands in the queue. Fixed when the task is scheduled, so that
    /// waiting makes every task overtake what comes later: a low task is never starved.
    pub const fn handicap(self) -> Duration {
        match self {
            Self::High => Duration::ZERO,
            Self::Normal => Duration::from_secs(60),
            Self::Low => Duration::from_secs(600),
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
    /// The revision to embed, at least.
    pub revision: i64,
    /// All tries, the first included.
    pub max_attempts: u32,
    /// Who asked: goes to the audit trail.
    pub cause: &'static str,
    /// Joins the log lines from save to searchable.
    pub trace_id: Option<String>,
}

impl NewTask {
    /// For an article that has just been created: 3 attempts, normal priority.
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
}

/// A task under lease, with what the claim saw of its article.
#[derive(Debug, Clone)]
pub struct ClaimedTask {
    /// What finish, renew and release are checked against.
    pub lease: Lease,
    /// `articles.id`
    pub article_id: i64,
    /// For people.
    pub slug: String,
    /// What happened.
    pub operation: Operation,
    /// How urgent it is.
    pub priority: Priority,
    /// See [`Position`].
    pub queue_key: i64,
    /// The revision it was asked to embed.
    pub revision: i64,
    /// This attempt's number, from 1.
    pub attempt: u32,
    /// All tries.
    pub max_attempts: u32,
    /// The worker slot it was claimed for.
    pub slot: Slot,
    /// From becoming due to being claimed.
    pub waited: Duration,
    /// Joins the log lines from save to searchable.
    pub trace_id: Option<String>,
    /// The set that vectors are made for: `embedding_models.id`.
    pub model_id: i64,
    /// At how many deaths of a host it was in work.
    pub crashes: u32,
    /// The article at the moment of the claim.
    pub subject: Subject,
}

impl ClaimedTask {
    /// Where it stood in the queue.
    pub fn position(&self) -> Position {
        Position { queue_key: self.queue_key, id: self.lease.task_id }
    }
}

/// Where a task stands in the queue: the order of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// `embedding_tasks.queue_key`
    pub queue_key: i64,
    /// `embedding_tasks.id`
    pub id: i64,
}

impl Position {
    /// Before every task.
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

/// What the claim saw of the article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// It has been deleted.
    Gone,
    /// It is not to be embedded.
    Skipped,
    /// Its content is embedded already; only the revision has to be noted.
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

    /// A task that stood at `queue_key`.
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
            subject: Subject::Changed,
        }
    }
}
