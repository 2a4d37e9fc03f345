//! `article_chunks`: one embedded piece of an article.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// One embedded piece of an article.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "article_chunks")]
pub struct Model {
    /// Row number; never reused.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// `articles.id`.
    pub article_id: i64,
    /// `embedding_models.id`.
    pub model_id: i64,
    /// From 0, in the order of the body.
    pub position: i32,
    /// Heading path.
    pub heading_path: String,
    /// Text.
    pub text: String,
    /// SHA-256 of the embedded input.
    pub hash: String,
    /// Length of the embedded input.
    pub tokens: i32,
    /// `dimension` × 4 bytes, little-endian `f32`, unit length.
    pub vector: Vec<u8>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
