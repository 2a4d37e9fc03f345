//! `article_chunks`: one embedded chunk of an article, written with the end of its task.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// One embedded chunk of an article, written with the end of its task.
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
    /// Headings from the outermost to the innermost, joined by `" > "`; empty above the first heading.
    pub heading_path: String,
    /// The chunk as it is in the body.
    pub text: String,
    /// SHA-256 of the embedded input; equal inputs reuse the vector.
    pub hash: String,
    /// Length of the embedded input, in the model's tokens.
    pub tokens: i32,
    /// Unit length: `dimension` little-endian `f32`, 4 bytes each.
    pub vector: Vec<u8>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
