//! What is different between two revisions of an article, for those who are to apply their change to the newer one.

use super::{Article, ArticleError, Articles, compared, names::NUMBERED};
use crate::offload;

impl Articles {
    /// Returns what has changed in an article since `revision`, as `diff -u` shows it: fields, front matter, text;
    /// `None` if that revision is not kept any more. Of a deleted article, what had changed up to its last revision.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`]
    pub async fn changed_since_revision(&self, slug: &str, revision: i64) -> Result<Option<String>, ArticleError> {
        let present = match self.read(slug).await {
            Err(ArticleError::NotFound { .. }) => self.last_revision(slug).await?,
            present => present?,
        };
        // Of several that had the slug, the same.
        let of = format!("{NUMBERED}{}", present.id);
        match self.read_revision(&of, revision).await {
            Ok(past) => Ok(Some(offload::save(move || compared::unified(&past, &present)).await)),
            Err(ArticleError::NoRevision { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn last_revision(&self, slug: &str) -> Result<Article, ArticleError> {
        let last = self.history(slug).await?.into_iter().map(|revision| revision.revision).max();
        self.read_revision(slug, last.ok_or_else(|| ArticleError::not_found(slug))?).await
    }

    /// Says in a conflict what has changed, if that is known.
    pub(super) async fn add_difference<T>(&self, outcome: Result<T, ArticleError>) -> Result<T, ArticleError> {
        let Err(ArticleError::Conflict { slug, expected, present, changed: None }) = outcome else { return outcome };
        let changed = self.changed_since_revision(&slug, expected).await.ok().flatten();
        let changed = changed.filter(|changed| !changed.is_empty());
        Err(ArticleError::Conflict { slug, expected, present, changed })
    }
}
