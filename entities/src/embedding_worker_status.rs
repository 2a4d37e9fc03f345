//! `embedding_worker_status`: a worker slot of one host incarnation.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A worker slot of one host incarnation.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "embedding_worker_status")]
pub struct Model {
    /// Incarnation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub incarnation: String,
    /// Slot.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot: i32,
    /// `idle`, `busy`, `restarting` or `stopped`.
    pub state: String,
    /// Since.
    pub since: i64,
    /// `embedding_tasks.id`.
    pub task_id: Option<i64>,
    /// Completed.
    pub completed: i64,
    /// Failed.
    pub failed: i64,
    /// Restarts.
    pub restarts: i64,
    /// Last error.
    pub last_error: Option<String>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
