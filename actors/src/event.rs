//! What a runtime tells its host as it happens. Only a hint, as every message is: the audit trail is the record.

use serde::Serialize;

use crate::{embedder::ErrorKind, task::TaskStatus};

/// A task changed its status on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskEvent {
    /// `embedding_tasks.id`
    pub task_id: i64,
    /// `articles.id`
    pub article_id: i64,
    /// The article's slug at the last request, for people.
    pub slug: String,
    /// The task's new status.
    pub status: TaskStatus,
    /// Attempts that count, this one included.
    pub attempts: u32,
    /// What went wrong, if anything.
    pub error_kind: Option<ErrorKind>,
    /// The error's message, for people.
    pub error: Option<String>,
}
