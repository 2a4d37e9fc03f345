//! The result of a search among the vectors, or why there is none.

use afterword_actors::store::StoreError;

/// Why nothing was searched.
#[derive(Debug, thiserror::Error)]
pub(in crate::search) enum NoIndex {
    /// The vectors are being read for the first time, which takes longer than the search may wait.
    #[error("the vectors are still being read into memory ({chunks} so far)")]
    Reading {
        /// Read so far.
        chunks: u64,
    },
    /// They cannot be searched now.
    #[error("{0}")]
    Failed(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An article and its chunk that is nearest to the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::search) struct Nearest {
    pub(in crate::search) article_id: i64,
    pub(in crate::search) chunk_id: i64,
    /// Cosine.
    pub(in crate::search) similarity: f32,
}
