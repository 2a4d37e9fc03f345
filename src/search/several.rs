//! Several questions in one search: each is searched by itself, and what they find is one answer (`docs/decisions/0206-…`).

use std::collections::HashMap;

use super::{Hit, Mode, Query, Search, SearchAnswer, SearchError, answer::MAX_QUESTIONS};

/// What an article gains by each further question that finds it, as a share of what it has by that question.
const AGREEMENT: f64 = 0.2;

/// An article that several questions may have found.
struct Found {
    /// By the question that found it best.
    hit: Hit,
    /// As shares of each question's best: what it has by each question, in their order.
    shares: Vec<(usize, f64)>,
}

impl Found {
    fn score(&self) -> f64 {
        let best = self.shares.iter().map(|(_, share)| *share).fold(0.0, f64::max);
        let all: f64 = self.shares.iter().map(|(_, share)| share).sum();
        best + AGREEMENT * (all - best)
    }
}

impl Search {
    /// Searches what is committed now by the question of `query` and `others` beside it, and answers what is found best. Each hit
    /// says which of the questions found it.
    ///
    /// # Errors
    /// [`SearchError`], as of one question; [`SearchError::Questions`] if there are too many.
    pub async fn search_several(&self, query: &Query, others: &[String]) -> Result<SearchAnswer, SearchError> {
        if others.is_empty() {
            return self.search(query).await;
        }
        if others.len() >= MAX_QUESTIONS {
            return Err(SearchError::Questions);
        }
        let mut answers = Vec::with_capacity(1 + others.len());
        for text in std::iter::once(&query.text).chain(others) {
            answers.push(self.search(&Query { text: text.clone(), ..query.clone() }).await?);
        }
        Ok(fused(answers, query.limit))
    }
}

/// The answers to several questions as one: of each article the best, and a little more for each other.
fn fused(answers: Vec<SearchAnswer>, limit: usize) -> SearchAnswer {
    let mut found: HashMap<String, Found> = HashMap::new();
    let mut fused =
        SearchAnswer { hits: Vec::new(), mode: Mode::Keyword, low_confidence: true, ..SearchAnswer::default() };
    for (question, answer) in answers.into_iter().enumerate() {
        let SearchAnswer { hits, mode, degraded, low_confidence, corrections, cut_to, weights, .. } = answer;
        // What any of them was asked by; one that failed in part says so.
        fused.mode = if question == 0 || fused.mode == Mode::Keyword { mode } else { fused.mode };
        fused.low_confidence &= low_confidence;
        fused.degraded = fused.degraded.or(degraded);
        fused.cut_to = fused.cut_to.or(cut_to);
        fused.weights = fused.weights.or(weights);
        corrections.into_iter().for_each(|correction| {
            if !fused.corrections.contains(&correction) {
                fused.corrections.push(correction);
            }
        });
        let best = hits.first().map_or(1.0, |hit| hit.score).max(f64::MIN_POSITIVE);
        for hit in hits {
            add(&mut found, question + 1, hit, best);
        }
    }
    let mut found: Vec<_> = found.into_values().map(|found| (found.score(), found)).collect();
    found.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.hit.slug.cmp(&other.hit.slug)));
    found.truncate(limit);
    let hit = |(score, Found { hit, shares }): (f64, Found)| {
        let questions = shares.into_iter().map(|(question, _)| question).collect();
        Hit { score, questions, ..hit }
    };
    SearchAnswer { hits: found.into_iter().map(hit).collect(), no_good_match: fused.low_confidence, ..fused }
}

fn add(found: &mut HashMap<String, Found>, question: usize, hit: Hit, best: f64) {
    let share = (hit.score / best).clamp(0.0, 1.0);
    let Some(known) = found.get_mut(&hit.slug) else {
        found.insert(hit.slug.clone(), Found { hit, shares: vec![(question, share)] });
        return;
    };
    if known.shares.iter().all(|(_, other)| *other < share) {
        known.hit = hit;
    }
    known.shares.push((question, share));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{EmbeddingState, EmbeddingStatus};

    fn answer(hits: &[(&str, f64)]) -> SearchAnswer {
        let hit = |(slug, score): &(&str, f64)| Hit {
            slug: (*slug).to_owned(),
            title: String::new(),
            folder: String::new(),
            score: *score,
            similarity: None,
            questions: Vec::new(),
            heading_path: String::new(),
            snippet: String::new(),
            matches: Vec::new(),
            passages: Vec::new(),
            explanation: None,
            embedding: EmbeddingStatus {
                status: EmbeddingState::Completed,
                searchable: true,
                stale: false,
                revision: None,
                task_id: None,
                error: None,
            },
        };
        SearchAnswer {
            hits: hits.iter().map(hit).collect(),
            low_confidence: hits.is_empty(),
            ..SearchAnswer::default()
        }
    }

    fn order(answer: &SearchAnswer) -> Vec<(&str, &[usize])> {
        answer.hits.iter().map(|hit| (hit.slug.as_str(), hit.questions.as_slice())).collect()
    }

    #[test]
    fn the_best_of_each_question_comes_first_and_agreement_counts() {
        let both = fused(vec![answer(&[("a", 9.0), ("c", 8.0)]), answer(&[("b", 0.5), ("c", 0.45)])], 10);
        assert_eq!(order(&both), [("c", &[1, 2][..]), ("a", &[1]), ("b", &[2])]);
        let apart = fused(vec![answer(&[("a", 9.0), ("c", 1.0)]), answer(&[("b", 0.5), ("d", 0.1)])], 2);
        assert_eq!(order(&apart), [("a", &[1][..]), ("b", &[2])]);
    }

    #[test]
    fn confidence_is_low_if_no_question_has_a_good_match() {
        assert!(!fused(vec![answer(&[]), answer(&[("a", 1.0)])], 10).low_confidence);
        assert!(fused(vec![answer(&[]), answer(&[])], 10).no_good_match);
    }
}
