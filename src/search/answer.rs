//! What is asked and what is answered.

use afterword_actors::store::StoreError;

use crate::{
    api::Mode,
    articles::{folder::Folder, properties::Filter},
};

/// A search.
#[derive(Debug, Clone)]
pub struct Query {
    /// What somebody looks for, in their words.
    pub text: String,
    /// By words, by meaning, or both.
    pub mode: Mode,
    /// Most hits.
    pub limit: usize,
    /// Only in this folder and below.
    pub folder: Folder,
    /// Only articles that this lets pass.
    pub filter: Filter,
    /// Most passages of one article.
    pub passages: usize,
    /// Whether each hit says how it came to its place.
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
    /// Nothing to look for.
    #[error("the query is empty; write what you look for")]
    EmptyQuery,
    /// No number of hits to be had.
    #[error("limit must be from 1 to {0}")]
    Limit(usize),
    /// No number of passages to be had.
    #[error("passages must be from 1 to {MAX_PASSAGES}")]
    Passages,
    /// No article to find others like it.
    #[error("there is no article \"{0}\"; look for it with `search`, or see all in the list of articles")]
    NoArticle(String),
    /// Searching by meaning alone, and that is not possible now.
    #[error("cannot search by meaning: {0}; search by words, or in mode hybrid")]
    NoMeaning(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Most passages of one article in an answer.
pub const MAX_PASSAGES: usize = 10;

/// Of a longer question, so much is searched. *Units:* characters.
pub(super) const MAX_QUERY: usize = 2_000;
