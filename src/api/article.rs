//! Articles as every door shows them.

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
    /// Never embedded.
    pub skip_embedding: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last saved.
    pub updated_at: Timestamp,
    /// The state of its embedding.
    pub embedding: EmbeddingStatus,
    /// Tags of its front matter and its text, in alphabetical order.
    pub tags: Vec<String>,
    /// The rest of its front matter: texts, numbers, switches, times, and lists of them.
    #[schema(value_type = Object)]
    pub properties: serde_json::Map<String, serde_json::Value>,
    /// The front matter of its file as it is written, with its fences.
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
    /// The state of its embedding.
    pub embedding: EmbeddingStatus,
    /// Tags of its front matter and its text, in alphabetical order. Not in a search's answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// The state of an article's embedding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EmbeddingStatus {
    /// The state, in one word.
    pub status: EmbeddingState,
    /// Whether searches by meaning find it, even if by older vectors.
    pub searchable: bool,
    /// Whether its vectors are of an older content.
    pub stale: bool,
    /// The revision the vectors were made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
    /// The task that is pending, processing or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<i64>,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The state of an article's embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EmbeddingState {
    /// Neither embedded nor queued; the next sweep queues it.
    Missing,
    /// Its task waits.
    Pending,
    /// Being processed.
    Processing,
    /// The vectors are those of the present content.
    Completed,
    /// All attempts failed; `error` says why.
    Failed,
    /// Never embedded, as its author wished.
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
    /// The number of the revision.
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

/// A folder with the number of its articles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FolderCount {
    /// `/`-separated, empty for the root.
    pub folder: String,
    /// Articles directly in it.
    pub articles: i64,
}

/// The answer to a deletion.
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
    /// Its name if another article has its slug now: `id:` and its number.
    pub name: String,
    /// The slug it had.
    pub slug: String,
    /// The title it had.
    pub title: String,
    /// The folder it was in.
    pub folder: String,
    /// Its last revision.
    pub revision: i64,
    /// *Units:* bytes.
    pub size: i64,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

/// Most articles that are counted one by one for a list by filter, if there are many articles.
pub(crate) const MAX_COUNTED: i64 = 1_000;

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page {
    /// The last saved first.
    pub articles: Vec<ArticleSummary>,
    /// Articles on all pages; `null` if a filter matches more than 1,000 of more than 30,000 articles.
    pub total: Option<i64>,
    /// The `cursor` of the next page; `null` at the end.
    pub next_cursor: Option<String>,
}

/// A page of deleted articles.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeletedPage {
    /// The last deleted first.
    pub articles: Vec<DeletedArticle>,
    /// How many there are in all.
    pub total: i64,
    /// The `cursor` of the next page; `null` at the end.
    pub next_cursor: Option<String>,
}
