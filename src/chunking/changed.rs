//! How much of an article has to be embedded after a change.

use std::collections::HashSet;

use afterword_actors::embedder::{Chunker, Source};

use crate::api::ChangedChunks;

impl ChangedChunks {
    /// Counts the chunks of `after` against those of `before`; `None` while the chunker does not work.
    pub fn between(chunker: &dyn Chunker, title: &str, before: &str, after: &str) -> Option<Self> {
        let inputs = |body| {
            let chunks = chunker.chunk(Source { title, body }).ok()?;
            Some(chunks.into_iter().map(|chunk| chunk.input).collect::<Vec<_>>())
        };
        let before: HashSet<String> = inputs(before)?.into_iter().collect();
        let after = inputs(after)?;
        let total = after.len();
        let new: HashSet<String> = after.into_iter().filter(|input| !before.contains(input)).collect();
        Some(Self { total, to_embed: new.len() })
    }
}
