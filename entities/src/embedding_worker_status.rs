//! `embedding_worker_status`: a worker slot of one host, written with its heartbeat.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A worker slot of one host, written with its heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "embedding_worker_status")]
pub struct Model {
    /// `embedding_hosts.incarnation`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub incarnation: String,
    /// Worker slot of the host, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot: i32,
    /// `idle`, `busy`, `restarting` or `stopped`.
    pub state: String,
    /// When state or task last changed.
    pub since: i64,
    /// The task that it is processing: `embedding_tasks.id`; `None` if there is none.
    pub task_id: Option<i64>,
    /// Tasks completed since the host's start.
    pub completed: i64,
    /// Attempts failed since the host's start.
    pub failed: i64,
    /// How often the worker was started again.
    pub restarts: i64,
    /// Why it was started again, or why the last attempt failed; `None` if neither.
    pub last_error: Option<String>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
