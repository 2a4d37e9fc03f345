//! `article_embeddings`: which revision of an article a model has embedded.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// Which revision of an article a model has embedded.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "article_embeddings")]
pub struct Model {
    /// `articles.id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub article_id: i64,
    /// `embedding_models.id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub model_id: i64,
    /// Number of the revision.
    pub revision: i64,
    /// Of the content that was embedded.
    pub content_hash: String,
    /// Chunk count.
    pub chunk_count: i32,
    /// Embedded at.
    pub embedded_at: i64,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
