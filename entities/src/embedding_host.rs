//! `embedding_hosts`: one start of a host, written by its HeartbeatActor.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// One start of a host, written by its HeartbeatActor.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "embedding_hosts")]
pub struct Model {
    /// The id of the start; never reused.
    #[sea_orm(primary_key, auto_increment = false)]
    pub incarnation: String,
    /// Name of the machine.
    pub hostname: String,
    /// Id of the process.
    pub pid: i64,
    /// Version of the program.
    pub version: String,
    /// `running`, `draining`, `stopped` (said by the host) or `lost` (found by another).
    pub state: String,
    /// When it was started.
    pub started_at: i64,
    /// When it last reported.
    pub heartbeat_at: i64,
    /// Its actor tree and its model as last reported, JSON; `None` before the first report.
    pub tree: Option<String>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
