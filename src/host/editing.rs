//! Changes a part of an article, and says what has to be embedded because of it.

use std::sync::Arc;

use super::Host;
use crate::{
    api::{ChangedChunks, EditAnswer},
    articles::{ArticleError, PartEdits},
    offload,
};

/// Larger texts are not cut twice for an answer. *Units:* bytes.
const LARGEST_CUT: usize = 256 << 10;

impl Host {
    /// Applies edits to a part of an article's text.
    ///
    /// # Errors
    /// Those of [`crate::articles::Articles::edit`].
    pub async fn edit(&self, slug: &str, request: PartEdits) -> Result<EditAnswer, ArticleError> {
        let edited = self.articles.edit(slug, request).await?;
        let article = edited.saved.article;
        let (title, before, after) = (article.title, edited.before, article.body);
        let is_cut = !article.skip_embedding && before.len().max(after.len()) <= LARGEST_CUT;
        let chunker = Arc::clone(&self.backends.model().chunker);
        let chunks = match is_cut {
            true => offload::save(move || ChangedChunks::between(&*chunker, &title, &before, &after)).await,
            false => None,
        };
        Ok(EditAnswer {
            slug: article.slug,
            revision: article.revision,
            changed: edited.saved.changed,
            merged: edited.merged,
            changes: edited.changes,
            embedding: article.embedding,
            chunks,
        })
    }
}
