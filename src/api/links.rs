//! Links between articles.

use serde::Serialize;
use utoipa::ToSchema;

use super::Article;

/// A link of an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutgoingLink {
    /// As it is written.
    pub target: String,
    /// The heading it leads to, if it names one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub anchor: String,
    /// wiki, path or address
    pub form: String,
    /// The article it leads to; `null` if there is none.
    pub slug: Option<String>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// An article that links to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Backlink {
    /// The article that links.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// The link as it is written; the first, if there are several.
    pub target: String,
    /// How many links it has to the other.
    pub links: usize,
}

/// A link that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BrokenLink {
    /// The article that links.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// The link as it is written.
    pub target: String,
    /// wiki, path or address
    pub form: String,
}

/// An article under its new slug.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Renamed {
    /// As stored.
    #[serde(flatten)]
    pub article: Article,
    /// Articles whose links were changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mended: Vec<Mended>,
    /// Articles whose links could not be changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmended: Vec<Unmended>,
}

/// An article whose links still name a former slug, which leads to the article all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Unmended {
    /// The article that links.
    pub slug: String,
    /// Why it was not changed.
    pub reason: String,
}

/// An article whose links were changed to a new slug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mended {
    /// The article that links.
    pub slug: String,
    /// Its new revision.
    pub revision: i64,
    /// Links that lead to the new slug now.
    pub links: usize,
}
