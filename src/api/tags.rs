//! Tags and properties, with the number of their articles.

use sea_orm::FromQueryResult;
use serde::Serialize;
use utoipa::ToSchema;

/// A tag with its articles counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, FromQueryResult)]
pub struct TagCount {
    /// As one article writes it.
    pub tag: String,
    /// That have it.
    pub articles: i64,
}

/// A key of front matter with its articles counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, FromQueryResult)]
pub struct PropertyCount {
    /// In small letters.
    pub key: String,
    /// What its values are, or some of them: text, number, switch or time.
    pub kind: String,
    /// That have it.
    pub articles: i64,
    /// Different values.
    pub values: i64,
}

/// A value of a key with its articles counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, FromQueryResult)]
pub struct ValueCount {
    /// As one article writes it.
    pub value: String,
    /// That have it.
    pub articles: i64,
}
