//! The results of a search.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::EmbeddingStatus;

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema, JsonSchema)]
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
    /// The name used at every door.
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

/// How much each side counts; together 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Weights {
    /// Of the words.
    pub words: f64,
    /// Of the meaning.
    pub meaning: f64,
}

/// A word that was searched in place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Correction {
    /// As it was written, in lower case.
    pub from: String,
    /// What was searched.
    pub to: String,
}
