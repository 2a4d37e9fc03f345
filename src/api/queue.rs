//! Tasks, their audit trail, and the numbers of the queue.

use std::collections::BTreeMap;

use afterword_actors::task;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Timestamp;

/// An embedding task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Task {
    /// Its number.
    pub id: i64,
    /// The number of the article.
    pub article_id: i64,
    /// The article's slug when the task was made, or at the last save that joined it. Of a deleted article, for callers who
    /// may not restore it: `id:` and its number.
    pub slug: String,
    /// `create`, `update` or `delete`.
    pub operation: String,
    /// `pending`, `processing`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// `high`, `normal` or `low`.
    pub priority: String,
    /// The newest revision it was asked to embed.
    pub revision: i64,
    /// Attempts so far.
    pub attempts: i32,
    /// How many attempts it may have.
    pub max_attempts: i32,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Not claimed before this time.
    pub scheduled_at: Timestamp,
    /// When its last attempt began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// The kind of error: `transient`, `config`, `data`, `resource` or `crashed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<String>,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Why it is in its state.
    pub cause: String,
    /// The host that processes it, or did last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<String>,
    /// The worker of that host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<i32>,
    /// When the host's claim expires unless renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_expires_at: Option<Timestamp>,
    /// The id that the log lines of its save and its embedding have in common.
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
    /// The `before` of the next page; missing at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_before: Option<i64>,
}

/// A task with its explanation and its audit trail.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskDetail {
    /// The task.
    pub task: Task,
    /// Why it is in its state, and what to do.
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
    /// The present slug of that article, or its last one; that of a deleted article, and the details, are left out for callers
    /// who may not restore it.
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
    /// Attempts so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i32>,
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<String>,
    /// The worker of that host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<i32>,
    /// The kind of error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<String>,
    /// Details, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Event {
    /// Whether it says which tokens there are: that is for whoever manages them.
    pub(crate) fn is_of_tokens(&self) -> bool {
        matches!(self.event.as_str(), "token created" | "token revoked" | "door opened")
    }
}

/// The state of the queue, and its rates.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Numbers {
    /// Tasks by status.
    pub queue: QueueNumbers,
    /// Articles by the state of their vectors.
    pub coverage: Coverage,
    /// Tasks completed per second over the last minute (`1m`), five (`5m`) and sixty (`60m`).
    pub throughput_per_second: BTreeMap<String, f64>,
    /// Completed of completed and failed in the last hour; `null` if there were none.
    pub success_rate: Option<f64>,
    /// Each worker in the last hour.
    pub workers: Vec<WorkerNumbers>,
}

/// Tasks by status; all numbers from one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueueNumbers {
    /// Waiting, delayed ones included.
    pub pending: i64,
    /// Being processed.
    pub processing: i64,
    /// Completed, and not yet removed by retention.
    pub completed: i64,
    /// Failed, and not yet removed by retention.
    pub failed: i64,
    /// Cancelled, and not yet removed by retention.
    pub cancelled: i64,
    /// Waiting for the time of their next attempt; part of `pending`.
    pub delayed: i64,
    /// Time since the longest-waiting due task became due; `null` if none is due. *Units:* milliseconds.
    pub oldest_due_ms: Option<i64>,
    /// Whether claiming is paused.
    pub paused: bool,
}

/// Articles by the state of their vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Coverage {
    /// All articles.
    pub articles: i64,
    /// Never embedded.
    pub skipped: i64,
    /// Embedded at their present content.
    pub embedded: i64,
    /// Embedded at an older content.
    pub stale: i64,
    /// Not embedded at all.
    pub missing: i64,
}

/// One worker over the last hour. Quantiles of minutes cannot be added: those of the worst minute are shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WorkerNumbers {
    /// The host.
    pub incarnation: String,
    /// The worker.
    pub slot: i32,
    /// Tasks completed.
    pub completed: i64,
    /// Tasks failed.
    pub failed: i64,
    /// Attempts that failed and were followed by another.
    pub retried: i64,
    /// Half of the attempts took at most this long. *Units:* microseconds.
    pub p50_us: i64,
    /// 95 % of the attempts took at most this long. *Units:* microseconds.
    pub p95_us: i64,
    /// 99 % of the attempts took at most this long. *Units:* microseconds.
    pub p99_us: i64,
}

/// How urgent an embedding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Before all others.
    High,
    /// The priority of saves.
    Normal,
    /// After all others.
    Low,
}

impl From<Priority> for task::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::High => Self::High,
            Priority::Normal => Self::Normal,
            Priority::Low => Self::Low,
        }
    }
}

/// The state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskStatus {
    /// Waits for a worker, or for the time of its next attempt.
    Pending,
    /// A worker processes it.
    Processing,
    /// Done.
    Completed,
    /// All attempts failed.
    Failed,
    /// Cancelled, or replaced by a newer task.
    Cancelled,
}

impl From<TaskStatus> for task::TaskStatus {
    fn from(status: TaskStatus) -> Self {
        match status {
            TaskStatus::Pending => Self::Pending,
            TaskStatus::Processing => Self::Processing,
            TaskStatus::Completed => Self::Completed,
            TaskStatus::Failed => Self::Failed,
            TaskStatus::Cancelled => Self::Cancelled,
        }
    }
}
