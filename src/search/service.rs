//! The search service: what every door calls.

use std::{sync::Arc, time::Duration};

use afterword_actors::{
    embedder::Vector,
    store::{Database, StoreError, sql::Sql},
};

use super::{
    MAX_PASSAGES, Mode, Query, SearchAnswer, SearchError, Weights, answer,
    chosen::Chosen,
    filter,
    fusion::{self, Evidence, FusedHit, fuse},
    question::Question,
    question_cache::QuestionCache,
    semantic::{self, QueryModels, SemanticError, SemanticHits},
    texts::Texts,
    vectors::{Nearest, VectorIndex},
};
use crate::{
    fulltext::{self, Lookups, WordHit, WordQuery},
    reranking::Reranker,
};

/// How searches are made.
#[derive(Debug, Clone)]
pub struct SearchSettings {
    /// Most hits of one answer.
    pub max_limit: usize,
    /// How much the words count, beside what a question itself says.
    pub keyword_weight: f64,
    /// How much the meaning counts, beside what a question itself says.
    pub semantic_weight: f64,
    /// Articles taken from the meaning's ranking; ten times as many from that of the words.
    pub candidates: usize,
    /// How long embedding the query may take; past it the answer is from words alone.
    pub query_deadline: Duration,
    /// Hits below this cosine set `low_confidence`.
    pub good_similarity: f32,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self {
            max_limit: 100,
            keyword_weight: 1.0,
            semantic_weight: 1.0,
            candidates: 100,
            query_deadline: Duration::from_secs(2),
            good_similarity: 0.25,
        }
    }
}

/// Articles that the words' ranking is longer than the meaning's: it costs next to nothing.
const WORDS_DEEPER: usize = 10;
/// An article that has words of this much of the question's rarity is a good match.
const GOOD_COVERAGE: f64 = 0.5;
/// To one word alone any short text is nearer than to a sentence: so many times the cosine makes a good match of it.
const ONE_WORD: f32 = 1.3;

/// Searches. Cheap to clone; clones share the index.
#[derive(Clone)]
pub struct Search {
    pub(super) database: Database,
    pub(super) models: Arc<dyn QueryModels>,
    pub(super) index: Arc<VectorIndex>,
    pub(super) lookups: Arc<Lookups>,
    pub(super) question_cache: Arc<QuestionCache>,
    pub(super) texts: Arc<Texts>,
    pub(super) settings: Arc<SearchSettings>,
    pub(super) reranker: Option<Arc<Reranker>>,
}

/// Both rankings of one search.
#[derive(Default)]
pub(super) struct Rankings {
    pub(super) words: Vec<WordHit>,
    pub(super) meaning: Vec<Nearest>,
    pub(super) near: Option<(i64, Vector)>,
    pub(super) tokens_per_word: Option<f64>,
    pub(super) degraded: Option<String>,
    /// Articles in the words' ranking, if there are so many.
    pub(super) depth: usize,
}

/// What one question has found.
pub(super) struct QuestionResult {
    pub(super) question: Question,
    pub(super) rankings: Rankings,
    pub(super) mode: Mode,
    pub(super) weights: Weights,
    pub(super) low_confidence: bool,
    /// What did not work, for people.
    pub(super) degraded: Option<String>,
    /// As much of the question as was searched, if that is not all of it. *Units:* characters.
    pub(super) cut_to: Option<usize>,
    /// The best first.
    pub(super) chosen: Vec<Chosen>,
}

impl Search {
    /// A service on `database`; the index is read at the first search.
    pub fn new(database: Database, models: Arc<dyn QueryModels>, settings: SearchSettings) -> Self {
        Self {
            database,
            models,
            index: Arc::default(),
            lookups: Arc::default(),
            question_cache: Arc::default(),
            texts: Arc::default(),
            settings: Arc::new(settings),
            reranker: None,
        }
    }

    /// Searches what is committed now.
    ///
    /// # Errors
    /// [`SearchError`] if the query cannot be answered at all; a part that fails is said in
    /// [`SearchAnswer::degraded`].
    pub async fn search(&self, query: &Query) -> Result<SearchAnswer, SearchError> {
        let found = self.find(query).await?;
        self.answer(query, found).await
    }

    /// Finds the best articles, and reads no passage of them.
    ///
    /// # Errors
    /// As of [`Search::search`].
    pub(super) async fn find(&self, query: &Query) -> Result<QuestionResult, SearchError> {
        self.check(query)?;
        filter::check(self.database.reader(), &query.filter).await?;
        let (text, cut_to) = cut(&query.text);
        let question = Question::read(&self.database, &self.lookups, text, query).await?;
        let rankings = self.rank(query, &question).await?;
        let best = self.best(query, question, rankings).await?;
        Ok(QuestionResult { cut_to, ..best })
    }

    /// What follows from both rankings.
    pub(super) async fn best(
        &self,
        query: &Query,
        question: Question,
        rankings: Rankings,
    ) -> Result<QuestionResult, SearchError> {
        let mode = if rankings.degraded.is_some() { Mode::Keyword } else { query.mode };
        let weights = self.weights(mode, &rankings, &question);
        let fused = ranked(&rankings, &question, mode, weights);
        let low_confidence = !question.is_listing && !self.is_good(&question, &rankings, &fused).await?;
        let question = question.ranked();
        let chosen = self.choose(fused, self.reach(query)).await?;
        let (chosen, told) = self.ordered(query, &question, &rankings, weights, chosen).await?;
        let degraded: Vec<_> = rankings.degraded.iter().cloned().chain(told).collect();
        let degraded = (!degraded.is_empty()).then(|| degraded.join("; "));
        Ok(QuestionResult { question, rankings, mode, weights, low_confidence, degraded, cut_to: None, chosen })
    }

    /// The answer that shows what was found.
    pub(super) async fn answer(&self, query: &Query, best: QuestionResult) -> Result<SearchAnswer, SearchError> {
        let QuestionResult { question, rankings, mode, weights, low_confidence, degraded, cut_to, chosen } = best;
        let (corrections, without) = (question.corrections.clone(), question.without.clone());
        let weights_told = (query.explain && !question.is_listing).then_some(weights);
        let hits = self.hits(query, question, rankings, weights, chosen).await?;
        Ok(SearchAnswer {
            hits,
            mode,
            degraded,
            low_confidence,
            no_good_match: low_confidence,
            corrections,
            without,
            cut_to,
            weights: weights_told,
        })
    }

    /// Reads the index now, so that the first search need not.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        if let Some(active) = afterword_actors::store::models::active(self.database.reader()).await? {
            self.index.prepare(&self.database, active.id).await?;
        }
        Ok(())
    }

    pub(super) fn check(&self, query: &Query) -> Result<(), SearchError> {
        if query.text.trim().is_empty() {
            return Err(SearchError::EmptyQuery);
        }
        if query.limit == 0 || query.limit > self.settings.max_limit {
            return Err(SearchError::Limit(self.settings.max_limit));
        }
        if !(1..=MAX_PASSAGES).contains(&query.passages) {
            return Err(SearchError::Passages);
        }
        Ok(())
    }

    /// Articles taken from the meaning's ranking. They are as many whatever is shown: what a ranking does not hold
    /// counts as its last, so that a longer answer begins as a shorter one only if both are made of the same rankings.
    pub(super) fn depth(&self) -> usize {
        self.settings.candidates.max(self.settings.max_limit)
    }

    async fn rank(&self, query: &Query, question: &Question) -> Result<Rankings, SearchError> {
        let depth = self.depth();
        let deep = depth * WORDS_DEEPER;
        if question.is_listing {
            return Ok(Rankings { words: self.listed(question, depth).await?, depth, ..Rankings::default() });
        }
        let words = async {
            match query.mode {
                Mode::Semantic => Ok(Vec::new()),
                Mode::Hybrid | Mode::Keyword => {
                    let wanted = WordQuery {
                        terms: &question.terms,
                        text: &question.text,
                        with_earlier: question.with_earlier,
                        lists: question.lists.as_ref(),
                    };
                    fulltext::ranking(self.database.reader(), wanted, &question.among, deep).await
                }
            }
        };
        let (words, meaning) = tokio::join!(words, self.meaning(query, question, depth));
        let words = words?;
        match (meaning, query.mode) {
            (Ok(None), _) => Ok(Rankings { words, depth: deep, ..Rankings::default() }),
            (Ok(Some(meaning)), _) => Ok(Rankings {
                words,
                meaning: meaning.nearest,
                near: Some(meaning.near),
                tokens_per_word: meaning.tokens_per_word,
                degraded: None,
                depth: deep,
            }),
            (Err(SemanticError::Store(error)), _) => Err(error.into()),
            (Err(SemanticError::Degraded(reason)), Mode::Semantic) => Err(SearchError::NoMeaning(reason)),
            (Err(SemanticError::Degraded(reason)), _) => {
                tracing::debug!(reason, "a search is answered from words alone");
                Ok(Rankings { words, degraded: Some(reason), depth: deep, ..Rankings::default() })
            }
        }
    }

    async fn meaning(
        &self,
        query: &Query,
        question: &Question,
        depth: usize,
    ) -> Result<Option<SemanticHits>, SemanticError> {
        if query.mode == Mode::Keyword {
            return Ok(None);
        }
        let request = semantic::Request {
            text: &question.text,
            among: &question.among,
            depth,
            deadline: self.settings.query_deadline,
        };
        semantic::ranking(&self.database, &self.index, &self.models, &self.question_cache, &request).await.map(Some)
    }

    /// A question that only says which articles are meant is answered with those, the last saved first.
    async fn listed(&self, question: &Question, depth: usize) -> Result<Vec<WordHit>, StoreError> {
        let condition = question.among.condition(2).unwrap_or_else(|| "1 = 1".to_owned());
        let sql = format!(
            "SELECT a.id AS n FROM articles a WHERE {condition} ORDER BY a.updated_at DESC, a.id DESC LIMIT $1"
        );
        let limit = i64::try_from(depth).unwrap_or(i64::MAX);
        let values = std::iter::once(limit.into()).chain(question.among.values.clone());
        let ids = self.database.reader().rows(&sql, values).await?;
        let count = ids.len() as f64;
        let found = ids.into_iter().enumerate().map(|(place, id)| WordHit { id, score: count - place as f64 });
        Ok(found.collect())
    }

    fn weights(&self, mode: Mode, rankings: &Rankings, question: &Question) -> Weights {
        match mode {
            Mode::Keyword => Weights { words: 1.0, meaning: 0.0 },
            Mode::Semantic => Weights { words: 0.0, meaning: 1.0 },
            Mode::Hybrid => {
                let evidence = Evidence {
                    tokens_per_word: rankings.tokens_per_word,
                    nearest: rankings.meaning.first().map(|nearest| nearest.similarity),
                    telling: rankings.words.first().map(|best| question.worth.telling(best.score)),
                };
                let SearchSettings { keyword_weight, semantic_weight, .. } = *self.settings;
                Weights::of(evidence, keyword_weight, semantic_weight)
            }
        }
    }

    /// Whether the best hit is near in meaning, or has most of the question's words.
    async fn is_good(&self, question: &Question, rankings: &Rankings, fused: &[FusedHit]) -> Result<bool, StoreError> {
        let good = self.settings.good_similarity * if question.terms.len() > 1 { 1.0 } else { ONE_WORD };
        let is_near = |best: &Nearest| best.similarity >= good;
        if fusion::is_understood(rankings.tokens_per_word) && rankings.meaning.first().is_some_and(is_near) {
            return Ok(true);
        }
        let Some(best) = fused.first().filter(|best| best.words.is_some()) else { return Ok(false) };
        if question.with_earlier {
            return Ok(true);
        }
        let present =
            fulltext::present(self.database.reader(), best.id, &question.terms, question.lists.as_deref()).await?;
        let covered: f64 = present.iter().map(|place| question.certainty(*place)).sum();
        Ok(covered >= GOOD_COVERAGE * question.rarity.iter().sum::<f64>())
    }
}

fn ranked(rankings: &Rankings, question: &Question, mode: Mode, weights: Weights) -> Vec<FusedHit> {
    if mode == Mode::Keyword || question.is_listing {
        let found = |found: &WordHit| FusedHit { id: found.id, score: found.score, words: Some(found.score) };
        return rankings.words.iter().map(found).collect();
    }
    if mode == Mode::Semantic {
        let near = |near: &Nearest| FusedHit { id: near.article_id, score: f64::from(near.similarity), words: None };
        return rankings.meaning.iter().map(near).collect();
    }
    let mut fused = fuse(&rankings.words, &rankings.meaning, weights, rankings.depth);
    if rankings.words.is_empty() {
        // What points away from the question is no answer to it.
        let away = rankings.meaning.iter().position(|near| near.similarity <= 0.0).unwrap_or(rankings.meaning.len());
        fused.truncate(away);
    }
    fused
}

/// Of a long question the beginning, up to the end of a word; and how much that is. *Units:* characters.
fn cut(text: &str) -> (&str, Option<usize>) {
    let Some((end, _)) = text.char_indices().nth(answer::MAX_QUERY) else { return (text, None) };
    let kept = &text[..end];
    let kept = kept.rfind(char::is_whitespace).filter(|space| *space > end / 2).map_or(kept, |space| &kept[..space]);
    (kept, Some(kept.chars().count()))
}
