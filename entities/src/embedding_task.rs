//! `embedding_tasks`: a task of the durable queue, written by saves and by the QueueActor of a host.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A task of the durable queue, written by saves and by the QueueActor of a host.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "embedding_tasks")]
pub struct Model {
    /// Row number; never reused.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// `articles.id`.
    pub article_id: i64,
    /// The article's slug at the last request, for people.
    pub slug: String,
    /// `create`, `update` or `delete`: what happened to the article.
    pub operation: String,
    /// `pending`, `processing`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// `high`, `normal` or `low`; decides the place in the queue.
    pub priority: String,
    /// The newest revision that it was asked to embed.
    pub revision: i64,
    /// Attempts that count; each claim adds 1, a refund takes it back.
    pub attempts: i32,
    /// Attempts after which it fails, the first included.
    pub max_attempts: i32,
    /// When the row was made.
    pub created_at: i64,
    /// When the row last changed.
    pub updated_at: i64,
    /// The earliest time of its claim.
    pub scheduled_at: i64,
    /// Claims go in this order: milliseconds, `scheduled_at` plus a handicap by priority.
    pub queue_key: i64,
    /// When it was last claimed; `None`: never.
    pub started_at: Option<i64>,
    /// When it was completed, failed or cancelled; `None` before.
    pub completed_at: Option<i64>,
    /// `transient`, `config`, `data`, `resource` or `crashed`, of the last failure; `None` if there is none.
    pub error_kind: Option<String>,
    /// The last failure, for people; `None` if there is none.
    pub error_message: Option<String>,
    /// Why the row is in its present state; the audit trail takes it as the event's name.
    pub cause: String,
    /// Token of the present claim, new at each; `None` unless it is `processing`.
    pub lease_token: Option<String>,
    /// When the claim expires; `None` unless it is `processing`.
    pub lease_expires_at: Option<i64>,
    /// `embedding_hosts.incarnation` of the last claim; `None` before the first.
    pub incarnation: Option<String>,
    /// Worker slot of the last claim; `None` before the first.
    pub slot: Option<i32>,
    /// Joins the log lines from save to searchable; `None` if the request had none.
    pub trace_id: Option<String>,
    /// The model that it makes vectors for: `embedding_models.id`; `None`, from earlier versions: the set in use.
    pub model_id: Option<i64>,
    /// How many times a host died while processing it.
    pub crashes: i32,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
