//! `embedding_models`: a model that has made, or is making, a set of vectors.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A model that has made, or is making, a set of vectors.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "embedding_models")]
pub struct Model {
    /// Row number; never reused.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Of everything that decides a vector but its length.
    pub fingerprint: String,
    /// The whole identity, JSON.
    pub identity: String,
    /// Length of a vector, once known.
    pub dimension: Option<i32>,
    /// `building`, `active` or `retired`.
    pub state: String,
    /// When the row was made.
    pub created_at: i64,
    /// Activated at.
    pub activated_at: Option<i64>,
    /// Retired at.
    pub retired_at: Option<i64>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
