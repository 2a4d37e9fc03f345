//! `bulk_operations`: a bulk embedding run.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A bulk embedding run.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "bulk_operations")]
pub struct Model {
    /// Row number; never reused.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// `needed`, `missing`, `failed`, `stale` or `all`.
    pub scope: String,
    /// `/`-separated path, empty for the root.
    pub folder: String,
    /// `queuing`, `running`, `completed` or `cancelled`.
    pub state: String,
    /// Articles up to this id have been looked at.
    pub cursor: i64,
    /// Requested at.
    pub requested_at: i64,
    /// Finished at.
    pub finished_at: Option<i64>,
    /// Frozen at the end, JSON.
    pub summary: Option<String>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
