//! Refusals as an agent reads them: only text, which says what to do next. Every error of the services is mapped here,
//! and nowhere else.

use afterword_actors::store::StoreError;
use rmcp::{
    ErrorData,
    handler::server::tool::IntoCallToolResult,
    model::{CallToolResponse, CallToolResult, ContentBlock},
};

use super::budget;
use crate::{
    articles::{ArticleError, folder::FolderError},
    auth::Permission,
    bulk::BulkError,
    queue::QueueError,
    search::{MAX_PASSAGES, SearchError},
};

/// Longest refusal: it may quote the arguments. *Units:* characters.
const MAX_REFUSAL_CHARS: usize = 2_000;
/// Longest difference in a refusal. *Units:* characters.
const LONGEST_CHANGED: usize = 1_400;

/// Why a tool did not do what it was asked.
#[derive(Debug)]
pub(super) struct Problem(String);

impl Problem {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn not_allowed(needed: Permission) -> Self {
        Self(not_allowed(needed))
    }

    pub(super) fn into_text(self) -> String {
        budget::clip(&self.0, MAX_REFUSAL_CHARS)
    }
}

pub(super) fn not_allowed(needed: Permission) -> String {
    format!("not allowed: this needs a token with scope \"{needed}\"; ask the operator of this server for one")
}

impl From<Problem> for CallToolResponse {
    fn from(problem: Problem) -> Self {
        CallToolResult::error(vec![ContentBlock::text(budget::clip(&problem.0, MAX_REFUSAL_CHARS))]).into()
    }
}

impl IntoCallToolResult for Problem {
    fn into_call_tool_result(self) -> Result<CallToolResponse, ErrorData> {
        Ok(self.into())
    }
}

impl From<ArticleError> for Problem {
    fn from(error: ArticleError) -> Self {
        Self(match error {
            ArticleError::NotFound { slug, suggestion: Some(near), .. } => {
                format!("there is no article \"{slug}\"; did you mean \"{near}\"?")
            }
            ArticleError::NotFound { slug, suggestion: None, .. } => {
                format!("there is no article \"{slug}\"; find it with search_articles or list_articles")
            }
            ArticleError::Exists { slug, title, same_title: true } => format!(
                "the article \"{slug}\" (\"{title}\") exists already, and nothing was saved; change it with \
                 update_article, or create yours under another slug"
            ),
            ArticleError::Exists { slug, title, same_title: false } => format!(
                "the slug \"{slug}\" belongs to another article, \"{title}\", and nothing was saved; do not change \
                 that one, but create yours under another slug, or without one"
            ),
            ArticleError::FormerName { slug, present } => format!(
                "\"{slug}\" is a former name of the article \"{present}\" and still leads to it, and nothing was \
                 saved; change that with update_article, or choose another slug"
            ),
            ArticleError::Conflict { slug, expected, present, changed } => {
                let changed =
                    changed.map(|changed| format!("\nchanged since:\n{}", budget::clip(&changed, LONGEST_CHANGED)));
                let changed = changed.unwrap_or_default();
                format!(
                    "conflict: the article \"{slug}\" is at revision {present}, not {expected}, and nothing was saved; \
                     read it again with read_article, apply your change to that text, and send expected_revision \
                     {present}{changed}"
                )
            }
            error @ ArticleError::Edit(_) => error.to_string(),
            ArticleError::NoRevision { slug, revision } => {
                format!("the article \"{slug}\" has no revision {revision}; article_history lists those it has")
            }
            error @ (ArticleError::NoPast { slug: _, deleted: _ } | ArticleError::NotDeleted { slug: _ }) => {
                error.to_string()
            }
            ArticleError::KeyOfDeleted { key, name } => format!(
                "the article that was created with the idempotency_key \"{key}\" has been deleted, and nothing was saved; \
                 bring it back with restore_article, slug \"{name}\", or use a new key to create it anew"
            ),
            ArticleError::KeyReused { key } => format!(
                "the idempotency_key \"{key}\" was used before to create another article, and nothing was saved; use \
                 a new key for a new article"
            ),
            ArticleError::Invalid { field, message } => format!("{field}: {message}"),
            ArticleError::TooLarge { size, limit } => {
                format!("body: has {size} bytes, and at most {limit} are allowed; split it into several articles")
            }
            ArticleError::Store(error) => return error.into(),
        })
    }
}

impl From<FolderError> for Problem {
    fn from(error: FolderError) -> Self {
        Self(format!("folder: {error}"))
    }
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        Self(match error {
            SearchError::EmptyQuery => "query: is empty; write what you look for".to_owned(),
            SearchError::Questions => format!("queries: {error}"),
            SearchError::NoProperty { .. } => format!("filter: {error}"),
            SearchError::NoArticle(slug) => {
                format!("slug: there is no article \"{slug}\"; find it with search_articles or list_articles")
            }
            SearchError::Limit(most) => format!("limit: must be from 1 to {most}"),
            SearchError::Passages => format!("passages: must be from 1 to {MAX_PASSAGES}"),
            SearchError::NoMeaning(reason) => {
                format!("cannot search by meaning: {reason}; use mode \"keyword\" or \"hybrid\"")
            }
            SearchError::Store(error) => return error.into(),
        })
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        Self(match error {
            QueueError::NotFound(id) => format!("there is no task {id}"),
            QueueError::NotAllowed { id, status } => {
                format!("task {id} is {status}; only pending, failed and cancelled tasks can be tried again")
            }
            QueueError::AlreadyWaiting { id, other } => {
                format!("task {other} of the same article waits already, and does what task {id} would do")
            }
            QueueError::Store(error) => return error.into(),
        })
    }
}

impl From<BulkError> for Problem {
    fn from(error: BulkError) -> Self {
        Self(match error {
            BulkError::NotFound(id) => format!("there is no bulk run {id}; leave out id to see the last one"),
            BulkError::NoneYet => "there has been no bulk run yet; start one with start_bulk_embedding".to_owned(),
            BulkError::NoFolder(_) => error.to_string(),
            BulkError::Store(error) => return error.into(),
        })
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy
            | StoreError::ReadOnly(_)
            | StoreError::System(_)
            | StoreError::Aborted(_)
            | StoreError::NoConnection(_)
            | StoreError::Unreachable(_) => {
                tracing::warn!(%error, "a tool call was refused");
                Self(format!("{error}; try again in a moment"))
            }
            StoreError::DiskFull | StoreError::NotInPlace(_) | StoreError::InDoubt(_) => Self(error.to_string()),
            // What the database says is for the operator, and may quote what others saved.
            StoreError::Damaged(_) | StoreError::Constraint(_) | StoreError::Unexpected(_) | StoreError::Failed(_) => {
                tracing::error!(%error, "a tool call failed");
                Self(
                    "the server failed, and its log says why; read the article again before you repeat a save"
                        .to_owned(),
                )
            }
        }
    }
}
