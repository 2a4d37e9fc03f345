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
    /// Unique name in addresses; a rename moves the old one to `slug_aliases`.
    pub slug: String,
    /// Plain text.
    pub title: String,
    /// `/`-separated path; empty for the root.
    pub folder: String,
    /// Markdown.
    pub body: String,
    /// YAML of unknown front matter keys, written by earlier versions; counts only while `front_matter` is empty.
    pub extra: String,
    /// From 1; each save adds 1.
    pub revision: i64,
    /// SHA-256 of title and body: what is embedded.
    pub content_hash: String,
    /// Exclude this article from embedding.
    pub skip_embedding: bool,
    /// When the article was created.
    pub created_at: i64,
    /// When it was last saved.
    pub updated_at: i64,
    /// Front matter of its file as it is written, fences included; empty if there is none.
    pub front_matter: String,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
