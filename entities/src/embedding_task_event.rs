//! `embedding_task_events`: an entry of the audit trail, written by triggers on tasks and by administrative acts.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// An entry of the audit trail, written by triggers on tasks and by administrative acts.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "embedding_task_events")]
pub struct Model {
    /// Row number; never reused.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// When it happened.
    pub at: i64,
    /// `embedding_tasks.id`; `None` for an administrative act.
    pub task_id: Option<i64>,
    /// `articles.id`; `None` for an act that concerns no article.
    pub article_id: Option<i64>,
    /// The task's `cause`, or the name of the act.
    pub event: String,
    /// The task's status before; `None` for a new task and for an act.
    pub from_status: Option<String>,
    /// The task's status after; `None` for an act.
    pub to_status: Option<String>,
    /// `embedding_tasks.attempts` after it; `None` for an act.
    pub attempt: Option<i32>,
    /// `embedding_hosts.incarnation` of the last claim; `None` before the first and for an act.
    pub incarnation: Option<String>,
    /// Worker slot of the last claim; `None` likewise.
    pub slot: Option<i32>,
    /// `embedding_tasks.error_kind` after it; `None` without an error.
    pub error_kind: Option<String>,
    /// The error, the request's cause, or the act in words and its caller; `None` if there is nothing to say.
    pub detail: Option<String>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
