//! A chunk, and the text that is embedded for it.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::{
    embedder::{Chunk, EmbedError},
    requests::Text,
    task::{EmbeddedChunk, Failure, Vectors},
};

/// A chunk, and the text that is embedded for it.
pub(super) struct HashedChunk {
    /// Its `input` has been moved to `text`.
    pub(super) chunk: Chunk,
    pub(super) text: Arc<Text>,
}

impl From<Chunk> for HashedChunk {
    fn from(mut chunk: Chunk) -> Self {
        let input = std::mem::take(&mut chunk.input);
        let hash = hex::encode(Sha256::digest(input.as_bytes()));
        let text = Arc::new(Text { input, hash, tokens: chunk.tokens });
        Self { chunk, text }
    }
}

impl HashedChunk {
    /// Joins it with its vector from `stored` or `made`.
    pub(super) fn with_vector(self, stored: &Vectors, made: &Vectors) -> Result<EmbeddedChunk, Failure> {
        let Self { chunk: Chunk { heading_path, text, tokens, .. }, text: embedded } = self;
        let hash = embedded.hash.clone();
        let vector = stored
            .get(&hash)
            .or_else(|| made.get(&hash))
            .cloned()
            .ok_or_else(|| EmbedError::transient("the provider answered fewer vectors than it was given texts"))?;
        Ok(EmbeddedChunk { heading_path, text, hash, tokens, vector })
    }
}
