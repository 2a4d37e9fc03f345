//! A chunk on its way into the database.

use crate::task::EmbeddedChunk;

/// A chunk that gets a row.
pub(super) struct NewChunk<'c> {
    pub(super) article_id: i64,
    pub(super) model_id: i64,
    pub(super) position: usize,
    pub(super) chunk: &'c EmbeddedChunk,
}

/// Article, model and position of a chunk.
pub(super) type ChunkKey = (i64, i64, usize);

impl NewChunk<'_> {
    pub(super) fn place(&self) -> ChunkKey {
        (self.article_id, self.model_id, self.position)
    }
}
