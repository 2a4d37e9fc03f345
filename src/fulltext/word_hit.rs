//! What both engines answer, and what they rank by.

use afterword_actors::store::sql::FromRow;

/// A word in the title says this much more than one in the body.
pub(super) const TITLE_WEIGHT: f64 = 3.0;
/// What else counts as a title does is written so often.
pub(super) const TITLE_TIMES: usize = 3;

/// An article that was found by its words.
#[derive(Debug, Clone, Copy, PartialEq, FromRow)]
pub(crate) struct WordHit {
    pub(crate) id: i64,
    /// BM25; comparable within one answer only.
    pub(crate) score: f64,
}

/// Where a phrase is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Anywhere,
    Title,
}
