//! How large chunks may be and how many there may be.

use super::tokens::TokenCounter;

/// The sizes that a [`super::MarkdownChunker`] keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkLimits {
    /// Most tokens in one input, everything included.
    pub max_tokens: usize,
    /// Tokens that are added to every input after cutting: the model's special tokens, and its document prefix if any.
    pub reserved_tokens: usize,
    /// Most chunks of one article.
    pub max_chunks: usize,
}

/// Settings that leave no room for text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// Less than [`ChunkLimits::SMALLEST_ROOM`] is left for title, headings and text.
    #[error(
        "embedding.max_tokens is {max_tokens}, of which {reserved_tokens} go to special tokens and prefix; \
         set it to at least {least}"
    )]
    TooSmall {
        /// The setting.
        max_tokens: usize,
        /// Tokens taken from it.
        reserved_tokens: usize,
        /// The least value that would do.
        least: usize,
    },
    /// No chunk is allowed at all.
    #[error("embedding.max_chunks is 0; set it to at least 1")]
    NoChunks,
}

impl ChunkLimits {
    /// The version of the cuts: raised whenever the same text would be cut differently.
    const VERSION: u32 = 1;

    /// `[CLS]` and `[SEP]`, or begin and end of text.
    pub const SPECIAL_TOKENS: usize = 2;

    /// The most chunks of an article. Fifty pages at 256 tokens are some 100 chunks; more than 10,000 are a mistake or
    /// an attack.
    pub const MAX_CHUNKS: usize = 10_000;

    /// The least room for a chunk, in tokens: below this it would be little more than its headings.
    pub const SMALLEST_ROOM: usize = 24;

    /// Chunks of at most `max_tokens`, with the usual two special tokens and [`Self::MAX_CHUNKS`].
    pub fn new(max_tokens: usize) -> Self {
        Self { max_tokens, reserved_tokens: Self::SPECIAL_TOKENS, max_chunks: Self::MAX_CHUNKS }
    }

    /// The same, with the tokens of a model's document prefix reserved too.
    #[must_use]
    pub fn with_prefix(self, prefix: &str, counter: &dyn TokenCounter) -> Self {
        Self { reserved_tokens: self.reserved_tokens.saturating_add(counter.count(prefix)), ..self }
    }

    /// Name of this way of cutting, for [`afterword_actors::embedder::ModelIdentity::chunker`]: `markdown-1/256`.
    ///
    /// The reserved tokens are not in it: they follow from the model and its prefix, which the identity contains
    /// already.
    pub fn version(&self) -> String {
        format!("markdown-{}/{}", Self::VERSION, self.max_tokens)
    }

    /// Tokens left for title, headings and text.
    pub(super) fn room(&self) -> usize {
        self.max_tokens.saturating_sub(self.reserved_tokens)
    }

    pub(super) fn check(&self) -> Result<(), LimitsError> {
        let (max_tokens, reserved_tokens) = (self.max_tokens, self.reserved_tokens);
        if self.room() < Self::SMALLEST_ROOM {
            let least = reserved_tokens.saturating_add(Self::SMALLEST_ROOM);
            return Err(LimitsError::TooSmall { max_tokens, reserved_tokens, least });
        }
        if self.max_chunks == 0 { Err(LimitsError::NoChunks) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunking::ApproximateTokens;

    #[test]
    fn the_version_names_the_size() {
        assert_eq!(ChunkLimits::new(256).version(), "markdown-1/256");
    }

    #[test]
    fn a_prefix_that_leaves_no_room_is_refused() {
        let prefix = "Represent this document for retrieval. ".repeat(8);
        let limits = ChunkLimits::new(64).with_prefix(&prefix, &ApproximateTokens);
        assert_eq!(limits.reserved_tokens, 2 + ApproximateTokens.count(&prefix));
        assert!(limits.check().is_err());
        assert_eq!(limits.version(), ChunkLimits::new(64).version(), "the prefix is in the identity by itself");
    }

    #[test]
    fn limits_without_room_are_refused_with_what_would_do() {
        let message = ChunkLimits::new(25).check().expect_err("too small").to_string();
        assert!(message.ends_with("set it to at least 26"), "{message}");
        assert_eq!(ChunkLimits::new(26).check(), Ok(()));
        assert_eq!(ChunkLimits { max_chunks: 0, ..ChunkLimits::new(256) }.check(), Err(LimitsError::NoChunks));
    }
}
