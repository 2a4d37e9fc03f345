//! A chunk and the hash of what is embedded.

use sha2::{Digest, Sha256};

use crate::{
    embedder::{Chunk, EmbedError},
    task::{EmbeddedChunk, Failure, Vectors},
};

/// A chunk and the hash of what is embedded.
pub(super) struct HashedChunk {
    pub(super) chunk: Chunk,
    pub(super) hash: String,
}

impl From<Chunk> for HashedChunk {
    fn from(chunk: Chunk) -> Self {
        let digest = Sha256::digest(chunk.input.as_bytes());
        let hash = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { chunk, hash }
    }
}

impl HashedChunk {
    /// It with its vector, which is `known` or was `made`.
    pub(super) fn with_vector(self, known: &Vectors, made: &Vectors) -> Result<EmbeddedChunk, Failure> {
        let Self { chunk: Chunk { heading_path, text, tokens, .. }, hash } = self;
        let vector = known
            .get(&hash)
            .or_else(|| made.get(&hash))
            .cloned()
            .ok_or_else(|| EmbedError::transient("the provider answered fewer vectors than it was given texts"))?;
        Ok(EmbeddedChunk { heading_path, text, hash, tokens, vector })
    }
}
