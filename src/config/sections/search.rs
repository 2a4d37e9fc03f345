//! How hits are ranked and counted.

mod rerank;

pub use self::rerank::Rerank;
use crate::config::{rules::Rules, section::section};

/// Languages with stems of their own, and none (`simple`). A test compares them with those of the index of words, which settings do
/// not know.
const LANGUAGES: [&str; 19] = [
    "arabic",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hungarian",
    "italian",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "simple",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
];

section! {
    /// Searches.
    Search {
        /// Hits of an answer, if the question does not say.
        default_limit: usize = 10,
        /// Most hits of an answer.
        max_limit: usize = 100,
        /// Multiplies the weight that each question gives to words; 0 switches them off.
        keyword_weight: f64 = 1.0,
        /// Multiplies the weight that each question gives to meaning; 0 switches it off.
        semantic_weight: f64 = 1.0,
        /// Has no effect; accepted so that settings of earlier versions stay valid.
        rrf_k: f64 = 60.0,
        /// Articles taken from the ranking by meaning; ten times as many from that by words.
        candidates: usize = 100,
        /// Hits below this cosine set `low_confidence`.
        good_similarity: f32 = 0.25,
        /// Stems of articles that do not show their language; after a change: `afterword index rebuild`.
        language: String = "english".to_owned(),
        /// A server that orders the best hits again.
        rerank: Rerank = Rerank::default(),
    }
}

impl Search {
    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        rules.at_least_one(self.max_limit as u64, "search.max_limit");
        let default = (1..=self.max_limit).contains(&self.default_limit);
        rules.check(default, "search.default_limit", "must be from 1 to search.max_limit");
        rules.at_least_one(self.candidates as u64, "search.candidates");
        let weight = |weight: f64| weight.is_finite() && weight >= 0.0;
        rules.check(weight(self.keyword_weight), "search.keyword_weight", "must not be negative");
        rules.check(weight(self.semantic_weight), "search.semantic_weight", "must not be negative");
        let any = self.keyword_weight + self.semantic_weight > 0.0;
        rules.check(any, "search.semantic_weight", "must not be zero together with search.keyword_weight");
        let known = format!("must be one of: {}", LANGUAGES.join(", "));
        rules.check(LANGUAGES.contains(&self.language.as_str()), "search.language", &known);
        rules.check(self.rrf_k.is_finite() && self.rrf_k > 0.0, "search.rrf_k", "must be above zero");
        self.rerank.check(rules);
    }
}

#[cfg(test)]
mod tests {
    use super::LANGUAGES;

    #[test]
    fn every_language_of_the_index_may_be_set() {
        assert_eq!(LANGUAGES.as_slice(), crate::fulltext::languages());
    }
}
