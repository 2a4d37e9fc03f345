//! Changing a part of an article, and saying what that leaves to be embedded.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::Host;
use crate::{
    articles::{ArticleError, EmbeddingStatus, PartEdits},
    chunking::ChangedChunks,
    offload,
};

/// Larger texts are not cut twice for an answer. *Units:* bytes.
const LARGEST_CUT: usize = 256 << 10;

/// An article after its edits: what changed, never the whole text.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EditAnswer {
    /// Its present slug.
    pub slug: String,
    /// The new one.
    pub revision: i64,
    /// false: the edits made no difference, and nothing was saved
    pub changed: bool,
    /// true: merged with what others have saved since
    pub merged: bool,
    /// changed lines with some around them, as diff -u shows them
    pub changes: String,
    /// How its embedding stands.
    pub embedding: EmbeddingStatus,
    /// Not known while the model is being loaded, nor of very large texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunks: Option<ChangedChunks>,
}

impl Host {
    /// Applies edits to a part of an article's text.
    ///
    /// # Errors
    /// Those of [`crate::articles::Articles::edit`].
    pub async fn edit(&self, slug: &str, asked: PartEdits) -> Result<EditAnswer, ArticleError> {
        let edited = self.articles.edit(slug, asked).await?;
        let article = edited.saved.article;
        let (title, before, after) = (article.title, edited.before, article.body);
        let is_cut = !article.skip_embedding && before.len().max(after.len()) <= LARGEST_CUT;
        let chunker = Arc::clone(&self.backends.model().chunker);
        let chunks = match is_cut {
            true => offload::run(move || ChangedChunks::between(&*chunker, &title, &before, &after)).await,
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
