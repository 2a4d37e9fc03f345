//! `embedding_tasks`: a task of the durable queue.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A task of the durable queue.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "embedding_tasks")]
pub struct Model {
    /// Row number; never reused.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// `articles.id`.
    pub article_id: i64,
    /// The slug when the task was made, for people.
    pub slug: String,
    /// `create`, `update` or `delete`.
    pub operation: String,
    /// `pending`, `processing`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// `high`, `normal` or `low`.
    pub priority: String,
    /// The newest revision it was asked to embed.
    pub revision: i64,
    /// Counted at claim.
    pub attempts: i32,
    /// Max attempts.
    pub max_attempts: i32,
    /// When the row was made.
    pub created_at: i64,
    /// When the row last changed.
    pub updated_at: i64,
    /// Not to be claimed before.
    pub scheduled_at: i64,
    /// Claims go in this order.
    pub queue_key: i64,
    /// Started at.
    pub started_at: Option<i64>,
    /// Completed at.
    pub completed_at: Option<i64>,
    /// Error kind.
    pub error_kind: Option<String>,
    /// Error message.
    pub error_message: Option<String>,
    /// Why the row is in its present state.
    pub cause: String,
    /// Lease token.
    pub lease_token: Option<String>,
    /// Lease expires at.
    pub lease_expires_at: Option<i64>,
    /// The host that holds or held it.
    pub incarnation: Option<String>,
    /// Slot.
    pub slot: Option<i32>,
    /// Trace id.
    pub trace_id: Option<String>,
    /// The model whose vectors it makes; `None` for the set in use.
    pub model_id: Option<i64>,
    /// At how many deaths of a host it was in work.
    pub crashes: i32,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
