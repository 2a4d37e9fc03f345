//! `embedding_hosts`: one start of a host.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// One start of a host.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "embedding_hosts")]
pub struct Model {
    /// Unique for each start.
    #[sea_orm(primary_key, auto_increment = false)]
    pub incarnation: String,
    /// Hostname.
    pub hostname: String,
    /// Pid.
    pub pid: i64,
    /// Version.
    pub version: String,
    /// `running`, `draining`, `stopped` or `lost`.
    pub state: String,
    /// Started at.
    pub started_at: i64,
    /// Heartbeat at.
    pub heartbeat_at: i64,
    /// The actor tree as last reported, JSON.
    pub tree: Option<String>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
