//! Bulk runs.

use afterword_actors::store::backlog;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Timestamp;

/// A bulk run, under way or ended.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkRun {
    /// What it was asked for, and its state.
    #[serde(flatten)]
    pub summary: BulkRunSummary,
    /// Time since it was asked for, or until it ended. *Units:* milliseconds.
    pub duration_ms: i64,
    /// Articles the run is about, counted when it was opened; missing for runs of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// Articles queued so far; they are queued a few at a time.
    pub queued: i64,
    /// Articles that are pending or processing.
    pub open: i64,
    /// Articles embedded.
    pub succeeded: i64,
    /// Articles whose attempts all failed.
    pub failed: i64,
    /// Articles cancelled, or replaced by a newer task.
    pub cancelled: i64,
    /// Articles that are never embedded; missing until the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<i64>,
    /// Articles finished per second so far; missing before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<f64>,
    /// Time left at that rate; missing before the first and at the end. *Units:* milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_ms: Option<i64>,
    /// What keeps it waiting: a pause, no running host, a failing provider; missing if nothing does, and at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_because: Option<String>,
    /// Other open runs over the same folder, one above or one below it: each of them counts an article that both embed. None at the
    /// end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shares_with: Vec<i64>,
    /// The first failures with their reasons.
    pub failures: Vec<FailedArticle>,
}

/// A bulk run, as in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkRunSummary {
    /// Its number.
    pub id: i64,
    /// `needed`, `missing`, `failed`, `stale` or `all`.
    pub scope: String,
    /// Only this folder and below; empty for all.
    pub folder: String,
    /// `queuing`, `running`, `completed` or `cancelled`.
    pub state: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

/// An article a run could not embed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FailedArticle {
    /// The article; `(deleted)` if there is none any more, for callers who may not restore it.
    pub slug: String,
    /// The task.
    pub task_id: i64,
    /// The kind of error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<String>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// Which articles a bulk run embeds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Backlog {
    /// Missing, stale or failed.
    #[default]
    Needed,
    /// Articles without vectors.
    Missing,
    /// Articles whose last task failed.
    Failed,
    /// Articles whose vectors are of an older content.
    Stale,
    /// All articles; unchanged ones are confirmed, not embedded again.
    All,
}

impl From<Backlog> for backlog::Backlog {
    fn from(backlog: Backlog) -> Self {
        match backlog {
            Backlog::Needed => Self::Needed,
            Backlog::Missing => Self::Missing,
            Backlog::Failed => Self::Failed,
            Backlog::Stale => Self::Stale,
            Backlog::All => Self::All,
        }
    }
}
