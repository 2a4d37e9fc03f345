//! Tasks and their audit trail as callers see them.

use afterword_entities::{embedding_task, embedding_task_event};
use serde::Serialize;
use utoipa::ToSchema;

use crate::time::Timestamp;

/// An embedding task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Task {
    /// Its number.
    pub id: i64,
    /// The number of the article.
    pub article_id: i64,
    /// The article's slug when the task was made.
    pub slug: String,
    /// `create`, `update` or `delete`.
    pub operation: String,
    /// `pending`, `processing`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// `high`, `normal` or `low`.
    pub priority: String,
    /// The newest revision it was asked to embed.
    pub revision: i64,
    /// Tries so far.
    pub attempts: i32,
    /// All tries it has.
    pub max_attempts: i32,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Not begun before.
    pub scheduled_at: Timestamp,
    /// When its last try began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// What sort of error: `transient`, `config`, `data`, `resource` or `crashed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<String>,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Why it stands where it stands.
    pub cause: String,
    /// The host that works or worked on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<String>,
    /// The worker of that host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<i32>,
    /// Until when that host has it unless it says so again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_expires_at: Option<Timestamp>,
    /// Joins the log lines from save to searchable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// A page of tasks.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskPage {
    /// The newest first.
    pub tasks: Vec<Task>,
    /// Tasks on all pages.
    pub total: i64,
    /// Asks for the next page, as `before`; missing at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_before: Option<i64>,
}

/// A task with all that is known of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskDetail {
    /// The task.
    pub task: Task,
    /// Why it stands where it stands, and what to do.
    pub explanation: String,
    /// Its audit trail, the oldest first.
    pub events: Vec<Event>,
}

/// An entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// The task; missing for an administrative act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<i64>,
    /// The article.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub article_id: Option<i64>,
    /// The slug of that article, or the last one it had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// What happened.
    pub event: String,
    /// The task's status before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_status: Option<String>,
    /// The task's status after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_status: Option<String>,
    /// Tries so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i32>,
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<String>,
    /// The worker of that host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<i32>,
    /// What sort of error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl From<embedding_task::Model> for Task {
    fn from(row: embedding_task::Model) -> Self {
        Self {
            id: row.id,
            article_id: row.article_id,
            slug: row.slug,
            operation: row.operation,
            status: row.status,
            priority: row.priority,
            revision: row.revision,
            attempts: row.attempts,
            max_attempts: row.max_attempts,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            scheduled_at: Timestamp(row.scheduled_at),
            started_at: row.started_at.map(Timestamp),
            completed_at: row.completed_at.map(Timestamp),
            error_kind: row.error_kind,
            error_message: row.error_message,
            cause: row.cause,
            incarnation: row.incarnation,
            slot: row.slot,
            lease_expires_at: row.lease_expires_at.map(Timestamp),
            trace_id: row.trace_id,
        }
    }
}

impl Event {
    pub(super) fn of(row: embedding_task_event::Model, slug: Option<String>) -> Self {
        Self {
            id: row.id,
            at: Timestamp(row.at),
            task_id: row.task_id,
            article_id: row.article_id,
            slug,
            event: row.event,
            from_status: row.from_status,
            to_status: row.to_status,
            attempt: row.attempt,
            incarnation: row.incarnation,
            slot: row.slot,
            error_kind: row.error_kind,
            detail: row.detail.filter(|detail| !detail.is_empty()),
        }
    }
}
