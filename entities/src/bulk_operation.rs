//! `bulk_operations`: a bulk embedding run, advanced by MaintenanceActor.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A bulk embedding run, advanced by MaintenanceActor.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "bulk_operations")]
pub struct Model {
    /// Row number; never reused.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// `needed`, `missing`, `failed`, `stale` or `all`.
    pub scope: String,
    /// Only articles in this `/`-separated folder and below; empty for all.
    pub folder: String,
    /// `queuing`, `running` (all queued), `completed` or `cancelled`.
    pub state: String,
    /// The last `articles.id` that has been looked at; 0 at the start.
    pub cursor: i64,
    /// When it was opened.
    pub requested_at: i64,
    /// When it was completed or cancelled; `None` before.
    pub finished_at: Option<i64>,
    /// The result at its end, JSON; `None` before, when progress is counted from `bulk_items`.
    pub summary: Option<String>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
