//! Several questions in one search: each is searched by itself, and what they find is one answer
//! (`docs/decisions/0206-…`).
//!
//! Each is asked to the same depth, however many hits are wanted: a page that is longer begins as a shorter one does.

use std::collections::HashMap;

use super::{Hit, Mode, Query, Search, SearchAnswer, SearchError, answer::MAX_QUESTIONS, service::QuestionResult};

/// What an article gains by each further question that finds it, as a share of what it has by that question.
const AGREEMENT: f64 = 0.2;
/// What the best article of a question with low confidence has of a share: what another question finds for certain
/// comes before it.
const DOUBTFUL: f64 = 0.3;

/// An article as one question has found it.
struct QuestionHit<'a> {
    id: i64,
    slug: &'a str,
    score: f64,
}

/// An article that some of the questions have found.
struct MergedArticle<'a> {
    id: i64,
    slug: &'a str,
    /// As shares of each question's best: what it has by each question, in their order.
    shares: Vec<(usize, f64)>,
}

impl MergedArticle<'_> {
    /// Which question found it best, and how well; of equals the first.
    fn best(&self) -> (usize, f64) {
        self.shares
            .iter()
            .copied()
            .reduce(|best, other| if other.1 > best.1 { other } else { best })
            .unwrap_or_default()
    }

    fn score(&self) -> f64 {
        let (_, best) = self.best();
        let all: f64 = self.shares.iter().map(|(_, share)| share).sum();
        best + AGREEMENT * (all - best)
    }
}

/// An article that is shown.
#[derive(Debug, Clone, PartialEq)]
struct MergedHit {
    id: i64,
    /// Which question found it best.
    by: usize,
    /// All that found it, in their order.
    questions: Vec<usize>,
    score: f64,
}

impl Search {
    /// Searches what is committed now by the question of `query` and `others` beside it, and answers what is found
    /// best. Each hit says which of the questions found it.
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
        self.check(query)?;
        let mut answers = Vec::with_capacity(1 + others.len());
        for text in std::iter::once(&query.text).chain(others) {
            let deep = Query { text: text.clone(), limit: self.settings.max_limit, ..query.clone() };
            answers.push(self.find(&deep).await?);
        }
        let shown = fused(answers.iter().map(|answer| (share_of_the_best(answer), found_by(answer))), query.limit);
        let mut fused = told(query, &answers);
        fused.hits = self.shown(query, answers, &shown).await?;
        Ok(fused)
    }

    /// The hits of what is `shown`, each by the question that found it best.
    async fn shown(
        &self,
        query: &Query,
        answers: Vec<QuestionResult>,
        shown: &[MergedHit],
    ) -> Result<Vec<Hit>, SearchError> {
        let mut hits: HashMap<i64, Hit> = HashMap::new();
        for (number, QuestionResult { question, rankings, weights, mut chosen, .. }) in answers.into_iter().enumerate()
        {
            chosen.retain(|chosen| shown.iter().any(|shown| shown.by == number && shown.id == chosen.id));
            let ids: Vec<_> = chosen.iter().map(|chosen| chosen.id).collect();
            hits.extend(ids.into_iter().zip(self.hits(query, question, rankings, weights, chosen).await?));
        }
        let hit = |MergedHit { id, questions, score, .. }: &MergedHit| {
            let questions = questions.iter().map(|question| question + 1).collect();
            Some(Hit { score: *score, questions, ..hits.remove(id)? })
        };
        Ok(shown.iter().filter_map(hit).collect())
    }
}

fn share_of_the_best(answer: &QuestionResult) -> f64 {
    if answer.low_confidence { DOUBTFUL } else { 1.0 }
}

fn found_by(answer: &QuestionResult) -> Vec<QuestionHit<'_>> {
    answer.chosen.iter().map(|hit| QuestionHit { id: hit.id, slug: &hit.article.slug, score: hit.score }).collect()
}

/// What the answers say together, without hits.
fn told(query: &Query, answers: &[QuestionResult]) -> SearchAnswer {
    let mut told = SearchAnswer { mode: Mode::Keyword, low_confidence: true, ..SearchAnswer::default() };
    for (question, answer) in answers.iter().enumerate() {
        // What any of them was asked by; one that failed in part says so.
        told.mode = if question == 0 || told.mode == Mode::Keyword { answer.mode } else { told.mode };
        told.low_confidence &= answer.low_confidence;
        told.degraded = told.degraded.or_else(|| answer.degraded.clone());
        told.cut_to = told.cut_to.or(answer.cut_to);
        let is_explained = query.explain && !answer.question.is_listing;
        told.weights = told.weights.or(is_explained.then_some(answer.weights));
        for correction in &answer.question.corrections {
            if !told.corrections.contains(correction) {
                told.corrections.push(correction.clone());
            }
        }
        for part in &answer.question.without {
            if !told.without.contains(part) {
                told.without.push(part.clone());
            }
        }
    }
    SearchAnswer { no_good_match: told.low_confidence, ..told }
}

/// The first `limit` of what several questions have found, each with the share that its best has: of each article the
/// best, and a little more for each other.
fn fused<'a>(answers: impl Iterator<Item = (f64, Vec<QuestionHit<'a>>)>, limit: usize) -> Vec<MergedHit> {
    let mut found: HashMap<i64, MergedArticle<'a>> = HashMap::new();
    for (question, (most, hits)) in answers.enumerate() {
        let best = hits.first().map_or(1.0, |hit| hit.score).max(f64::MIN_POSITIVE);
        for QuestionHit { id, slug, score } in hits {
            let found = found.entry(id).or_insert_with(|| MergedArticle { id, slug, shares: Vec::new() });
            found.shares.push((question, most * (score / best).clamp(0.0, 1.0)));
        }
    }
    let mut found: Vec<_> = found.into_values().map(|found| (found.score(), found)).collect();
    found.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.slug.cmp(other.slug)));
    found.truncate(limit);
    let shown = |(score, found): (f64, MergedArticle<'_>)| {
        let questions = found.shares.iter().map(|(question, _)| *question).collect();
        MergedHit { id: found.id, by: found.best().0, questions, score }
    };
    found.into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use afterword_actors::{
        embedder::{Embedder, ModelIdentity},
        store::{Database, OpenOptions, StoreError, sql::Sql},
    };

    use super::{
        super::{QueryModels, SearchSettings},
        *,
    };
    use crate::fulltext::{self, BodyTerms, Texts};

    struct NoModels;

    impl QueryModels for NoModels {
        fn embedder_for(&self, _: &ModelIdentity, _: Option<&str>) -> Option<Arc<dyn Embedder>> {
            None
        }
    }

    #[tokio::test]
    async fn where_the_terms_of_a_question_occur_is_let_go_of_when_it_is_answered() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = OpenOptions::new(format!("sqlite://{}", folder.path().join("a.db").display()));
        let database = Database::open(&options).await.expect("a database");
        crate::database::migrate(&database).await.expect("a schema");
        let saved = database.write::<_, StoreError, _>(async move |transaction| {
            let article = "INSERT INTO articles (id, slug, title, body, content_hash, created_at, updated_at)
                               VALUES (1, 'umbrella', 'Umbrella', '', 'h', 0, 0)";
            transaction.run(article, []).await?;
            let texts = Texts { title: "Umbrella", about: &[], body: "" };
            fulltext::replace(transaction, 1, texts, BodyTerms::of("")).await
        });
        saved.await.expect("a save");
        let search = Search::new(database, Arc::new(NoModels), SearchSettings::default());
        let best = search.find(&Query::new("umbrella", Mode::Keyword, 10)).await.expect("an answer");
        assert_eq!(best.chosen.iter().map(|chosen| chosen.id).collect::<Vec<_>>(), [1]);
        let (lists, term) = (best.question.lists.expect("lists"), &best.question.terms[0]);
        assert_eq!(lists.frequency(term), None, "a search of several questions has those of one at a time");
        // What explains the ranking stays.
        assert_eq!((lists.all, lists.average), (1, 1.0));
    }

    fn answer(hits: &[(&'static str, f64)]) -> Vec<QuestionHit<'static>> {
        let one = |(slug, score): &(&'static str, f64)| QuestionHit {
            id: i64::from(slug.as_bytes()[0]),
            slug,
            score: *score,
        };
        hits.iter().map(one).collect()
    }

    fn order(answers: Vec<Vec<QuestionHit<'static>>>, limit: usize) -> Vec<(char, Vec<usize>)> {
        let shown = fused(answers.into_iter().map(|answer| (1.0, answer)), limit).into_iter();
        shown.map(|shown| (u8::try_from(shown.id).map_or('?', char::from), shown.questions)).collect()
    }

    #[test]
    fn the_best_of_each_question_comes_first_and_agreement_counts() {
        let both = order(vec![answer(&[("a", 9.0), ("c", 8.0)]), answer(&[("b", 0.5), ("c", 0.45)])], 10);
        assert_eq!(both, [('c', vec![0, 1]), ('a', vec![0]), ('b', vec![1])]);
        let apart = order(vec![answer(&[("a", 9.0), ("c", 1.0)]), answer(&[("b", 0.5), ("d", 0.1)])], 2);
        assert_eq!(apart, [('a', vec![0]), ('b', vec![1])]);
    }

    #[test]
    fn what_a_question_finds_for_certain_comes_before_what_another_finds_by_chance() {
        let (certain, doubtful) = (answer(&[("a", 0.9), ("c", 0.4)]), answer(&[("b", 0.03), ("a", 0.02)]));
        let shown = fused([(DOUBTFUL, doubtful), (1.0, certain)].into_iter(), 10);
        let order: Vec<_> = shown.iter().map(|shown| shown.id).collect();
        assert_eq!(order, [97, 99, 98]);
    }

    #[test]
    fn the_passage_is_that_of_the_question_that_found_it_best() {
        let answers = [answer(&[("a", 9.0), ("c", 8.0)]), answer(&[("b", 0.5), ("c", 0.45)])];
        let shown = fused(answers.into_iter().map(|answer| (1.0, answer)), 10);
        assert_eq!(shown.iter().map(|shown| shown.by).collect::<Vec<_>>(), [1, 0, 1]);
    }
}
