//! `article_embeddings`: the revision of an article that a model has embedded, written with the end of a task.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// The revision of an article that a model has embedded, written with the end of a task.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "article_embeddings")]
pub struct Model {
    /// `articles.id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub article_id: i64,
    /// `embedding_models.id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub model_id: i64,
    /// The newest revision of `articles` that the vectors are valid for.
    pub revision: i64,
    /// `articles.content_hash` of what was embedded; another one there means stale.
    pub content_hash: String,
    /// Number of its rows in `article_chunks`; 0 for an article without text.
    pub chunk_count: i32,
    /// When the vectors were last stored.
    pub embedded_at: i64,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
