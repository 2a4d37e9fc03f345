//! `articles`: the present state of an article.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// The present state of an article.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "articles")]
pub struct Model {
    /// Row number; never reused.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Unique name in addresses.
    pub slug: String,
    /// Plain text.
    pub title: String,
    /// `/`-separated path, empty for the root.
    pub folder: String,
    /// Markdown.
    pub body: String,
    /// Front matter keys Afterword does not know, YAML.
    pub extra: String,
    /// Grows by 1 at each save.
    pub revision: i64,
    /// SHA-256 of what is embedded: title and body.
    pub content_hash: String,
    /// Never embed this article.
    pub skip_embedding: bool,
    /// When the row was made.
    pub created_at: i64,
    /// When the row last changed.
    pub updated_at: i64,
    /// Front matter of its file as it is written, fences and all.
    pub front_matter: String,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
