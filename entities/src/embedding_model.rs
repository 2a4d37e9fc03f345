//! `embedding_models`: a model that has made, or is making, a set of vectors, entered by the hosts that use it.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A model that has made, or is making, a set of vectors, entered by the hosts that use it.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "embedding_models")]
pub struct Model {
    /// Row number; never reused.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Hash of everything that decides a vector, except its length; unique.
    pub fingerprint: String,
    /// The model's whole identity, JSON.
    pub identity: String,
    /// Length of a vector, from the settings or the first vector; `None` before that.
    pub dimension: Option<i32>,
    /// `building`, `active` (at most one) or `retired`.
    pub state: String,
    /// When the model was entered.
    pub created_at: i64,
    /// When it last came into use; `None`: never.
    pub activated_at: Option<i64>,
    /// When it last went out of use, or its build was cancelled; `None` while it is in use or was never retired.
    pub retired_at: Option<i64>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
