//! What a search has chosen to show, before its passages are read.

use super::Reranked;
use crate::articles::{ArticleSummary, VectorsNote};

/// An article that is shown, and why.
pub(super) struct Chosen {
    /// `articles.id`
    pub(super) id: i64,
    pub(super) score: f64,
    /// Its score by words, if these found it.
    pub(super) words: Option<f64>,
    pub(super) article: ArticleSummary,
    pub(super) vectors: Option<VectorsNote>,
    pub(super) reranked: Option<Reranked>,
}
