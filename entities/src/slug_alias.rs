//! `slug_aliases`: a slug that an article had before it was renamed; it leads to the article still.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A slug that an article had before it was renamed; it leads to the article still.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "slug_aliases")]
pub struct Model {
    /// The former slug.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slug: String,
    /// `articles.id`.
    pub article_id: i64,
    /// When the article was renamed.
    pub created_at: i64,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
