//! Tags and properties, with the number of their articles.

use serde::Serialize;
use utoipa::ToSchema;

/// A tag with the number of its articles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TagCount {
    /// As one article writes it.
    pub tag: String,
    /// How many articles have it.
    pub articles: i64,
}

/// A key of front matter with the number of its articles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PropertyCount {
    /// The key, in lower case.
    pub key: String,
    /// What its values are, or some of them: text, number, switch or time.
    pub kind: String,
    /// How many articles have it.
    pub articles: i64,
    /// How many different values it has.
    pub values: i64,
}

/// A value of a key with the number of its articles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ValueCount {
    /// As one article writes it.
    pub value: String,
    /// How many articles have it.
    pub articles: i64,
}
