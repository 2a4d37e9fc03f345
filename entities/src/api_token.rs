//! `api_tokens`: a token by which a program authenticates.

use sea_orm::entity::prelude::*;

/// A token by which a program authenticates. Only its hash is stored.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_tokens")]
pub struct Model {
    /// Row number; never reused. Part of the token, to find its row.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// What it is for; unique among tokens that are not revoked.
    pub name: String,
    /// `read`, `write` or `admin`.
    pub scope: String,
    /// 16 random bytes.
    pub salt: Vec<u8>,
    /// SHA-256 of `salt` and the token's secret.
    pub hash: Vec<u8>,
    /// When the row was made.
    pub created_at: i64,
    /// When it expires (UTC); `None`: never.
    pub expires_at: Option<i64>,
    /// When it was last used, to the minute, written by the door; `None`: never.
    pub last_used_at: Option<i64>,
    /// When it was revoked; `None`: it is not.
    pub revoked_at: Option<i64>,
}

/// Rows refer to each other by number; joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
