//! Two rankings made one by their scores.
//!
//! Each side is put on one scale: a share of its best. How much the meaning counts depends on the question: a model
//! that needs many tokens for a word does not know the language, and what it answers is little better than chance
//! (`docs/decisions/0200-fusion-by-score.md`).

use std::collections::HashMap;

use super::vectors::Nearest;
use crate::{api::Weights, fulltext::WordHit};

/// How much the meaning counts for a question in a language that the model knows.
const MAX_MEANING: f64 = 0.65;
/// How much it counts at least.
const MIN_WEIGHT: f64 = 0.05;
/// Tokens for a word, up to which a language counts as known.
const TOKENS_OF_KNOWN_WORDS: f64 = 1.4;
/// How much less the meaning counts for each further token.
const SLOPE: f64 = 0.25;
/// If it is not known how a model reads words: neither side has more to say.
const UNKNOWN: f64 = 0.5;
/// A best cosine below this is so far away that the meaning counts less, in proportion.
const CLEAR: f64 = 0.4;
/// The words count in full if the best article's are worth as much as so many that only one article has. In a reader's
/// own words a question shares little with its answer, and that little is in many articles.
const TELLING: f64 = 2.5;
/// A question of few words cannot be worth so much: then, so much for each of them.
const TELLING_EACH: f64 = 0.8;
/// The cosine that counts for nothing.
const FARTHEST: f64 = -0.1;

/// Tokens for a word, from which on a model spells rather than reads: texts of such a language are near to one another
/// whatever they say.
const SPELT: f64 = 3.0;

/// Whether a cosine says how good an answer is, to a question whose words take the model so many tokens each. A model
/// that does not say how it reads is believed.
pub(super) fn is_understood(tokens_per_word: Option<f64>) -> bool {
    tokens_per_word.is_none_or(|tokens| tokens <= SPELT)
}

/// What there is to say how much each side of a question has to tell.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Evidence {
    /// Tokens that the model needs for a word of the question, if it says so.
    pub(super) tokens_per_word: Option<f64>,
    /// The best cosine.
    pub(super) nearest: Option<f32>,
    /// How much of what its words could tell the best article has, from 0 to 1; `None` if no article has any of them.
    pub(super) telling: Option<f64>,
}

/// What the words of a question can be worth.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WordWorth {
    /// How many of them articles have.
    pub(super) terms: usize,
    /// The rarity of the rarest of those.
    pub(super) greatest: f64,
    /// The rarity of a word that only one article has.
    pub(super) rarest: f64,
}

impl WordWorth {
    /// How much of it an article has whose BM25 is the `best`. The best one has about the rarest word, even where the
    /// ranking gives nothing for words that half of all articles have: among a few articles, that is each word.
    pub(super) fn telling(self, best: f64) -> f64 {
        let Self { terms, greatest, rarest } = self;
        let enough = TELLING.min(TELLING_EACH * terms as f64) * rarest;
        (best.max(greatest) / enough.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)
    }
}

impl Weights {
    /// For a question, with what the settings say of both sides.
    pub(super) fn of(evidence: Evidence, keyword: f64, semantic: f64) -> Self {
        let Evidence { tokens_per_word, nearest, telling } = evidence;
        let known = tokens_per_word.map_or(UNKNOWN, |tokens| {
            (MAX_MEANING - SLOPE * (tokens - TOKENS_OF_KNOWN_WORDS)).clamp(MIN_WEIGHT, MAX_MEANING)
        });
        let clear = nearest.map_or(1.0, |best| (f64::from(best) / CLEAR).clamp(0.0, 1.0));
        let meaning = known * clear;
        let (words, meaning) = ((1.0 - meaning) * telling.unwrap_or(1.0) * keyword, meaning * semantic);
        let both = (words + meaning).max(f64::MIN_POSITIVE);
        Self { words: words / both, meaning: meaning / both }
    }
}

/// An article in the fused ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FusedHit {
    pub(super) id: i64,
    /// From 0 to 1.
    pub(super) score: f64,
    /// BM25, if it was found by its words.
    pub(super) words: Option<f64>,
}

/// The fused ranking, the best first; equals in the order of their ids. What a ranking of `depth` does not hold counts
/// as its last.
pub(super) fn fuse(words: &[WordHit], meaning: &[Nearest], weights: Weights, depth: usize) -> Vec<FusedHit> {
    let most = words.first().map_or(1.0, |best| best.score).max(f64::MIN_POSITIVE);
    let nearest = meaning.first().map_or(1.0, |best| f64::from(best.similarity) - FARTHEST).max(f64::MIN_POSITIVE);
    let near = |similarity: f32| ((f64::from(similarity) - FARTHEST) / nearest).max(0.0);
    let last_words = if words.len() < depth { 0.0 } else { words.last().map_or(0.0, |last| last.score / most) };
    let last_near = meaning.last().map_or(0.0, |last| near(last.similarity));
    let mut shares: HashMap<i64, (Option<f64>, Option<f64>)> = HashMap::with_capacity(words.len() + meaning.len());
    for found in words {
        shares.entry(found.id).or_default().0 = Some(found.score);
    }
    for found in meaning {
        shares.entry(found.article_id).or_default().1 = Some(near(found.similarity));
    }
    let mut fused: Vec<_> = shares
        .into_iter()
        .map(|(id, (words, near))| {
            let by_words = words.map_or(last_words, |score| score / most);
            let score = weights.words * by_words + weights.meaning * near.unwrap_or(last_near);
            FusedHit { id, score, words }
        })
        .collect();
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    fused
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(scores: &[(i64, f64)]) -> Vec<WordHit> {
        scores.iter().map(|&(id, score)| WordHit { id, score }).collect()
    }

    fn meaning(similarities: &[(i64, f32)]) -> Vec<Nearest> {
        similarities
            .iter()
            .map(|&(article_id, similarity)| Nearest { article_id, chunk_id: article_id, similarity })
            .collect()
    }

    fn order(fused: &[FusedHit]) -> Vec<i64> {
        fused.iter().map(|fused| fused.id).collect()
    }

    /// A question whose words tell enough.
    fn asked(tokens: f64, nearest: f32) -> Evidence {
        Evidence { tokens_per_word: Some(tokens), nearest: Some(nearest), telling: Some(1.0) }
    }

    #[test]
    fn what_both_find_comes_before_what_one_finds() {
        let weights = Weights::of(asked(1.2, 0.6), 1.0, 1.0);
        let fused = fuse(&words(&[(1, 5.0), (2, 4.0)]), &meaning(&[(3, 0.6), (2, 0.5), (4, 0.1)]), weights, 100);
        assert_eq!(fused[0].id, 2);
    }

    #[test]
    fn a_language_that_the_model_does_not_know_is_answered_by_its_words() {
        let known = Weights::of(asked(1.2, 0.6), 1.0, 1.0);
        assert!((known.meaning - 0.65).abs() < 1e-9);
        assert!((Weights::of(asked(9.0, 0.6), 1.0, 1.0).meaning - 0.05).abs() < 1e-9);
        assert!(Weights::of(asked(1.2, 0.2), 1.0, 1.0).meaning < known.meaning);
        assert_eq!(Weights::of(asked(1.2, 0.6), 0.0, 1.0).words, 0.0);
        assert!((Weights::of(asked(f64::INFINITY, 0.9), 1.0, 1.0).meaning - 0.05).abs() < 1e-9, "of symbols alone");
        assert!(is_understood(None) && is_understood(Some(1.2)) && !is_understood(Some(f64::INFINITY)));
    }

    #[test]
    fn words_that_tell_little_count_little() {
        let of = |telling: f64, tokens: f64| {
            Weights::of(Evidence { telling: Some(telling), ..asked(tokens, 0.6) }, 1.0, 1.0).words
        };
        assert!(of(0.0, 1.2) == 0.0 && of(0.2, 1.2) < 0.1 && (of(1.0, 1.2) - 0.35).abs() < 1e-9);
        assert!(of(0.2, 9.0) > 0.75, "of a language that the model does not know, they tell most");
        let alone = Evidence { nearest: Some(0.0), telling: Some(0.1), ..asked(1.2, 0.6) };
        assert_eq!(Weights::of(alone, 1.0, 1.0).words, 1.0);
    }

    #[test]
    fn a_question_is_measured_by_what_its_words_can_tell() {
        let of = |terms, greatest| WordWorth { terms, greatest, rarest: 5.0 };
        assert_eq!(of(1, 5.0).telling(4.8), 1.0, "the one word that is asked for, which one article has");
        assert!((0.6..0.8).contains(&of(1, 2.8).telling(2.8)), "which many have");
        assert!(of(6, 3.0).telling(3.6) < 0.3, "one of six, which many have");
        assert_eq!(of(6, 5.0).telling(14.0), 1.0);
        // Of four articles, two have the word: SQLite's ranking gives nothing for it.
        assert!(WordWorth { terms: 1, greatest: 0.69, rarest: 1.2 }.telling(1e-6) > 0.7);
        assert_eq!(WordWorth::default().telling(0.0), 0.0);
        assert_eq!(WordWorth::default().telling(2.0), 1.0, "found by words of an earlier version");
    }

    proptest! {
        #[test]
        fn every_id_comes_once_and_one_side_alone_keeps_its_order(
            scores in prop::collection::btree_set(1u32..1000, 0..50),
        ) {
            let found: Vec<_> = scores.iter().rev().map(|&score| (i64::from(score), f64::from(score))).collect();
            let ids: Vec<_> = found.iter().map(|(id, _)| *id).collect();
            let weights = Weights::of(Evidence { nearest: None, ..asked(1.2, 0.6) }, 1.0, 1.0);
            prop_assert_eq!(order(&fuse(&words(&found), &[], weights, 100)), ids);
        }
    }
}
