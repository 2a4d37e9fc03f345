//! What is asked and what is answered.

use std::{fmt, str::FromStr};

use afterword_actors::store::StoreError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Correction, Weights};
use crate::articles::{EmbeddingStatus, folder::Folder, properties::Filter};

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

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// By words and by meaning, fused.
    #[default]
    Hybrid,
    /// By meaning.
    Semantic,
    /// By words.
    Keyword,
}

impl Mode {
    /// The name used in every door.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Semantic => "semantic",
            Self::Keyword => "keyword",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Hybrid, Self::Semantic, Self::Keyword]
            .into_iter()
            .find(|mode| mode.as_str() == name)
            .ok_or_else(|| format!("unknown mode \"{name}\"; one of: hybrid, semantic, keyword"))
    }
}

/// What was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SearchAnswer {
    /// The best first.
    pub hits: Vec<Hit>,
    /// How it was searched, which is less than what was asked for if it is degraded.
    pub mode: Mode,
    /// Why a part of the search is missing from the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
    /// Nothing is near in meaning, and no article has most of the words: the hits are the best there is, and may be about
    /// something else.
    pub low_confidence: bool,
    /// The former name of `low_confidence`.
    pub no_good_match: bool,
    /// Words that no article has, and what was searched in their place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    /// The question was longer than is searched; so many characters of it were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_to: Option<usize>,
    /// How much words and meaning counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Weights>,
}

/// A found article.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Hit {
    /// The article.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Its folder.
    pub folder: String,
    /// Comparable within one answer only.
    pub score: f64,
    /// Cosine of the best chunk, if it was found by meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f32>,
    /// Headings above the best place.
    pub heading_path: String,
    /// The passage that answers best.
    pub snippet: String,
    /// Where words of the question stand in `snippet`: from, and up to but not including. *Units:* characters.
    pub matches: Vec<(usize, usize)>,
    /// Further passages of the article, if they were asked for; the best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passages: Vec<Passage>,
    /// How it came to its place, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// How the article's embedding stands.
    pub embedding: EmbeddingStatus,
}

/// A passage of a found article.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Passage {
    /// Headings above it: the section as `read_article` knows it.
    pub heading_path: String,
    /// The passage, as one plain line.
    pub snippet: String,
    /// Where words of the question stand in `snippet`: from, and up to but not including. *Units:* characters.
    pub matches: Vec<(usize, usize)>,
    /// Its cosine, if it was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f32>,
}

/// How a hit came to its place.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Explanation {
    /// Terms of the question that the article has.
    pub terms: Vec<TermShare>,
    /// BM25 of all of them together; absent if it was not found by its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<f64>,
}

/// What one term adds.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TermShare {
    /// As it was written.
    pub term: String,
    /// How rare it is.
    pub idf: f64,
    /// How often the article has it.
    pub times: u32,
    /// Its part in what the words say; all together 1.
    pub share: f64,
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
