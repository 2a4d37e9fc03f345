//! Articles as every door shows them.

use sea_orm::FromQueryResult;
use serde::Serialize;
use utoipa::ToSchema;

use super::Timestamp;

/// An article with its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Article {
    /// Its unique name.
    pub slug: String,
    /// Plain text.
    pub title: String,
    /// `/`-separated, empty for the root.
    pub folder: String,
    /// Markdown.
    pub body: String,
    /// Grows by 1 at each save.
    pub revision: i64,
    /// Never to be embedded.
    pub skip_embedding: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last saved.
    pub updated_at: Timestamp,
    /// How its embedding stands.
    pub embedding: EmbeddingStatus,
    /// Of its front matter and its text, in the order of their names.
    pub tags: Vec<String>,
    /// The rest of its front matter: texts, numbers, switches, times, and lists of them.
    #[schema(value_type = Object)]
    pub properties: serde_json::Map<String, serde_json::Value>,
    /// The front matter of its file as it is written, fences and all.
    #[serde(skip)]
    pub front_matter: String,
    /// `articles.id`
    #[serde(skip)]
    pub id: i64,
}

/// An article without its body, as in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ArticleSummary {
    /// Its unique name.
    pub slug: String,
    /// Plain text.
    pub title: String,
    /// `/`-separated, empty for the root.
    pub folder: String,
    /// Grows by 1 at each save.
    pub revision: i64,
    /// *Units:* bytes.
    pub size: i64,
    /// When it was last saved.
    pub updated_at: Timestamp,
    /// How its embedding stands.
    pub embedding: EmbeddingStatus,
    /// Of its front matter and its text, in the order of their names. Not in a search's answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// How an article's embedding stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EmbeddingStatus {
    /// Where it is.
    pub status: EmbeddingState,
    /// Searches by meaning find it, be it by older vectors.
    pub searchable: bool,
    /// The vectors are of an older content.
    pub stale: bool,
    /// The revision the vectors were made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
    /// The task that waits, works or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<i64>,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Where an article's embedding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EmbeddingState {
    /// Neither made nor queued; the next sweep queues it.
    Missing,
    /// A task waits.
    Pending,
    /// A worker is at it.
    Processing,
    /// The vectors are those of the present content.
    Completed,
    /// Given up; `error` says why.
    Failed,
    /// Not wanted.
    Skipped,
}

impl EmbeddingState {
    /// The name used in every answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A saved revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Revision {
    /// Its number.
    pub revision: i64,
    /// The slug at that time.
    pub slug: String,
    /// The title at that time.
    pub title: String,
    /// The folder at that time.
    pub folder: String,
    /// *Units:* bytes.
    pub size: i64,
    /// When it was saved.
    pub saved_at: Timestamp,
    /// Whether it is the present one.
    pub present: bool,
    /// Whether the article was deleted after it.
    pub deleted: bool,
}

/// A folder with its articles counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, FromQueryResult)]
pub struct FolderCount {
    /// `/`-separated, empty for the root.
    pub folder: String,
    /// Articles directly in it.
    pub articles: i64,
}

/// What a deletion answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Gone {
    /// The slug it had, by which it can be restored.
    pub slug: String,
    /// The title it had.
    pub title: String,
    /// Its last revision.
    pub revision: i64,
    /// `true`
    pub deleted: bool,
}

impl From<Article> for Gone {
    fn from(article: Article) -> Self {
        Self { slug: article.slug, title: article.title, revision: article.revision, deleted: true }
    }
}

/// An article that was deleted, and can be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeletedArticle {
    /// What it is called by if its slug has been taken since: `id:` and its number.
    pub name: String,
    /// The slug it had.
    pub slug: String,
    /// The title it had.
    pub title: String,
    /// The folder it stood in.
    pub folder: String,
    /// Its last revision.
    pub revision: i64,
    /// *Units:* bytes.
    pub size: i64,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page {
    /// The last saved first.
    pub articles: Vec<ArticleSummary>,
    /// Articles on all pages.
    pub total: i64,
    /// Asks for the next page; `None` at the end.
    pub next_cursor: Option<String>,
}

/// The beginning of a list of deleted articles.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeletedPage {
    /// The last deleted first.
    pub articles: Vec<DeletedArticle>,
    /// Of so many in all.
    pub total: i64,
}
