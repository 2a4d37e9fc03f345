//! What is asked and what is answered.

use std::{fmt, str::FromStr};

use afterword_actors::store::StoreError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::articles::{EmbeddingStatus, folder::Folder};

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
    /// No word of the query was found, and nothing is near in meaning: the hits are the nearest there is.
    pub no_good_match: bool,
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
    /// The best place.
    pub snippet: String,
    /// How the article's embedding stands.
    pub embedding: EmbeddingStatus,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// Nothing to look for.
    #[error("the query is empty; write what you look for")]
    EmptyQuery,
    /// Too much to look for.
    #[error("the query has {0} characters, and at most {MAX_QUERY} are allowed")]
    QueryTooLong(usize),
    /// No number of hits to be had.
    #[error("limit must be from 1 to {0}")]
    Limit(usize),
    /// Searching by meaning alone, and that is not possible now.
    #[error("cannot search by meaning: {0}; search by words, or in mode hybrid")]
    NoMeaning(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Longest query. *Units:* characters.
pub(super) const MAX_QUERY: usize = 2_000;
