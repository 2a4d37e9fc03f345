//! Answers of several tools.

use rmcp::schemars::{self, JsonSchema};
use serde::Serialize;

use crate::{
    articles::{Article, ArticleSummary, DeletedArticle, EmbeddingStatus, SaveResult},
    mcp::budget,
};

/// Longest title in an answer. *Units:* characters.
pub(super) const MAX_TITLE_CHARS: usize = 120;
/// Longest reason of a failure in an answer. *Units:* characters.
pub(super) const MAX_REASON_CHARS: usize = 200;

/// Most tags of an article in a list.
const LISTED_TAGS: usize = 20;
/// Longest tag in an answer. *Units:* characters.
const MAX_TAG_CHARS: usize = 60;

/// The state of an article's embedding.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Embedding {
    /// missing, pending, processing, completed, failed or skipped
    status: &'static str,
    /// found by meaning, even if by older vectors
    searchable: bool,
    /// its vectors are of an older text
    stale: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<EmbeddingStatus> for Embedding {
    fn from(embedding: EmbeddingStatus) -> Self {
        let EmbeddingStatus { status, searchable, stale, revision: _, task_id, error } = embedding;
        let error = error.map(|error| budget::clip(&error, MAX_REASON_CHARS));
        Self { status: status.as_str(), searchable, stale, task_id, error }
    }
}

/// An article as it was stored by a save.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SavedArticle {
    slug: String,
    title: String,
    folder: String,
    revision: i64,
    /// false: nothing was different
    changed: bool,
    updated_at: String,
    embedding: Embedding,
    /// of the stored text, which is not sent back
    characters: usize,
}

impl From<SaveResult> for SavedArticle {
    fn from(saved: SaveResult) -> Self {
        let SaveResult { article, task_id: _, changed } = saved;
        let Article { slug, title, folder, body, revision, updated_at, embedding, .. } = article;
        Self {
            slug,
            title: budget::clip(&title, MAX_TITLE_CHARS),
            folder,
            revision,
            changed,
            updated_at: updated_at.to_string(),
            embedding: embedding.into(),
            characters: body.chars().count(),
        }
    }
}

/// An article without its body.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ListedArticle {
    slug: String,
    title: String,
    folder: String,
    revision: i64,
    /// bytes
    size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<Embedding>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    /// by this name it can be restored
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

impl From<DeletedArticle> for ListedArticle {
    fn from(article: DeletedArticle) -> Self {
        let DeletedArticle { name, slug, title, folder, revision, size, deleted_at } = article;
        Self {
            slug,
            title: budget::clip(&title, MAX_TITLE_CHARS),
            folder,
            revision,
            size,
            updated_at: None,
            embedding: None,
            tags: Vec::new(),
            name: Some(name),
            deleted_at: Some(deleted_at.to_string()),
        }
    }
}

impl From<ArticleSummary> for ListedArticle {
    fn from(article: ArticleSummary) -> Self {
        let ArticleSummary { slug, title, folder, revision, size, updated_at, embedding, tags } = article;
        Self {
            slug,
            title: budget::clip(&title, MAX_TITLE_CHARS),
            folder,
            revision,
            size,
            updated_at: Some(updated_at.to_string()),
            embedding: Some(embedding.into()),
            tags: tags.iter().take(LISTED_TAGS).map(|tag| budget::clip(tag, MAX_TAG_CHARS)).collect(),
            name: None,
            deleted_at: None,
        }
    }
}
