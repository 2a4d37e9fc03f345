//! `embedding_task_events`: an entry of the audit trail.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// An entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "embedding_task_events")]
pub struct Model {
    /// Row number; never reused.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// At.
    pub at: i64,
    /// Empty for an administrative act.
    pub task_id: Option<i64>,
    /// `articles.id`.
    pub article_id: Option<i64>,
    /// Event.
    pub event: String,
    /// From status.
    pub from_status: Option<String>,
    /// To status.
    pub to_status: Option<String>,
    /// Attempt.
    pub attempt: Option<i32>,
    /// Incarnation.
    pub incarnation: Option<String>,
    /// Slot.
    pub slot: Option<i32>,
    /// Error kind.
    pub error_kind: Option<String>,
    /// Detail.
    pub detail: Option<String>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
