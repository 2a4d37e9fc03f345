//! `article_versions`: a revision of an article that is no longer the present one.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A revision of an article that is no longer the present one.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "article_versions")]
pub struct Model {
    /// `articles.id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub article_id: i64,
    /// `articles.revision` of that time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i64,
    /// The slug of that revision.
    pub slug: String,
    /// The title, plain text.
    pub title: String,
    /// `/`-separated path; empty for the root.
    pub folder: String,
    /// The body, Markdown.
    pub body: String,
    /// `articles.extra` of that revision.
    pub extra: String,
    /// SHA-256 of title and body.
    pub content_hash: String,
    /// Whether it was excluded from embedding.
    pub skip_embedding: bool,
    /// When the article was created.
    pub created_at: i64,
    /// When this revision was saved.
    pub updated_at: i64,
    /// When the next revision or the deletion replaced it.
    pub superseded_at: i64,
    /// Whether it was the last one before a deletion.
    pub deleted: bool,
    /// Front matter of its file as it was written, fences included; empty if there was none.
    pub front_matter: String,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
