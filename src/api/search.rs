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
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct SearchAnswer {
    /// The best first.
    pub hits: Vec<Hit>,
    /// How it was searched; less than was asked for if `degraded` is there.
    pub mode: Mode,
    /// Why a part of the search is missing from the answer: it was searched by words alone if `mode` is keyword, else it was not
    /// reranked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
    /// Whether nothing is near in meaning and no article has most of the words: the hits are the best there are, and
    /// may be about something else.
    pub low_confidence: bool,
    /// The former name of `low_confidence`.
    pub no_good_match: bool,
    /// Words that no article has, and what was searched in their place: another word, or all words that begin so (`sour*`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    /// Words and phrases of the question that were taken for unwanted, because of a `-` before them: no hit has them. In quotation
    /// marks they are looked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// How many characters of the question were searched, if it was too long.
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
    /// Which of several questions found it, from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<usize>,
    /// Headings above the best place.
    pub heading_path: String,
    /// The passage that answers best.
    pub snippet: String,
    /// Where words of the question are in `snippet`: first character, and the one after the last. *Units:* characters.
    pub matches: Vec<(usize, usize)>,
    /// Further passages of the article, if they were asked for; the best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passages: Vec<Passage>,
    /// Why it has its rank, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// The state of the article's embedding.
    pub embedding: EmbeddingStatus,
}

/// A passage of a found article.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Passage {
    /// Headings above it: the section to name to `read_article`.
    pub heading_path: String,
    /// The passage, as one plain line.
    pub snippet: String,
    /// Where words of the question are in `snippet`: first character, and the one after the last. *Units:* characters.
    pub matches: Vec<(usize, usize)>,
    /// Its cosine, if it was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f32>,
}

/// Why a hit has its rank.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Explanation {
    /// Terms of the question that the article has.
    pub terms: Vec<TermShare>,
    /// BM25 of all of them together; absent if it was not found by its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<f64>,
    /// What the reranker did; absent if it was not asked about this hit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reranked: Option<Reranked>,
}

/// What a reranker did to a hit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Reranked {
    /// Its score as the server gave it; comparable within one question only.
    pub score: f64,
    /// The same, from 0 for the least of the hits that it was asked about to 1 for the greatest.
    pub share: f64,
    /// The score of the hit by words and meaning.
    pub fused: f64,
    /// Its place by words and meaning, from 1.
    pub from: usize,
    /// Its place after, from 1.
    pub to: usize,
}

/// What one term adds to the score.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TermShare {
    /// The term as it was written.
    pub term: String,
    /// How rare it is.
    pub idf: f64,
    /// How often the article has it.
    pub times: u32,
    /// Its part of the score by words; all terms together have 1.
    pub share: f64,
}

/// How much each side counts; together 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Weights {
    /// Weight of the words.
    pub words: f64,
    /// Weight of the meaning.
    pub meaning: f64,
}

/// A word that was searched in place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Correction {
    /// The word as it was written, in lower case.
    pub from: String,
    /// The word that was searched, as articles write it.
    pub to: String,
}
