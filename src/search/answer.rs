//! The query and the answer of a search.

use afterword_actors::store::StoreError;

use crate::{
    api::Mode,
    articles::{UnknownProperty, folder::Folder, properties::Filter},
};

/// A search.
#[derive(Debug, Clone)]
pub struct Query {
    /// The question, in the words of who asks.
    pub text: String,
    /// By words, by meaning, or both.
    pub mode: Mode,
    /// At most this many hits.
    pub limit: usize,
    /// Only in this folder and below.
    pub folder: Folder,
    /// Only articles that this lets pass.
    pub filter: Filter,
    /// At most this many passages of one article.
    pub passages: usize,
    /// Whether to explain the rank of each hit.
    pub explain: bool,
}

impl Query {
    /// A question as most are asked: in every folder, one passage of each article.
    pub fn new(text: impl Into<String>, mode: Mode, limit: usize) -> Self {
        Self {
            text: text.into(),
            mode,
            limit,
            folder: Folder::default(),
            filter: Filter::default(),
            passages: 1,
            explain: false,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// The query has nothing to look for.
    #[error("the query is empty; write what you look for")]
    EmptyQuery,
    /// The number of hits is out of range.
    #[error("limit must be from 1 to {0}")]
    Limit(usize),
    /// The number of passages is out of range.
    #[error("passages must be from 1 to {MAX_PASSAGES}")]
    Passages,
    /// The filter names a property that no article has.
    #[error(transparent)]
    NoProperty(UnknownProperty),
    /// There are more questions than one search takes.
    #[error("too many questions; one search takes up to {MAX_QUESTIONS}")]
    Questions,
    /// There is no article with this slug.
    #[error("there is no article \"{0}\"; look for it with `search`, or see all in the list of articles")]
    NoArticle(String),
    /// The search was by meaning alone, which is not possible now.
    #[error("cannot search by meaning: {0}; search by words, or in mode hybrid")]
    NoMeaning(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Most passages of one article in an answer.
pub const MAX_PASSAGES: usize = 10;

/// Most questions of one search.
pub const MAX_QUESTIONS: usize = 5;

/// The part of a longer question that is searched. *Units:* characters.
pub(super) const MAX_QUERY: usize = 2_000;
